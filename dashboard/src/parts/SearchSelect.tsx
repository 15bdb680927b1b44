import { Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

/** What is looked for: what was typed, a moment after. */
export function useSought(): [sought: string, type: (typed: string) => void] {
  const [typed, type] = useState("");
  const [sought] = useDebouncedValue(typed.trim(), 200);
  return [sought, type];
}

export interface ChosenProps extends Omit<SelectProps, "data" | "value" | "onChange" | "onSearchChange" | "filter"> {
  /** Empty for none. */
  value: string;
  onChange: (value: string) => void;
}

interface SearchSelectProps extends ChosenProps {
  /** What the server found. */
  found: { value: string; label: string }[];
  search: (typed: string) => void;
}

/** Chooses one of what the server finds for what is typed; what is chosen stays, found or not. */
export function SearchSelect({ value, onChange, found, search, ...rest }: SearchSelectProps) {
  const data = value && !found.some((one) => one.value === value) ? [{ value, label: value }, ...found] : found;
  return (
    <Select
      searchable
      {...rest}
      data={data}
      value={value || null}
      onChange={(chosen) => onChange(chosen ?? "")}
      onSearchChange={(typed) => search(typed === data.find((one) => one.value === value)?.label ? "" : typed)}
      filter={({ options }) => options}
    />
  );
}
