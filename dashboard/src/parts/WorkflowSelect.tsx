import { Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, told } from "../data/client";
import { text } from "../text";

const MOST = 20;

/** Workflows that are called so, those triggered last before others. */
export function useWorkflows(sought: string, active = false) {
  return useQuery({
    queryKey: ["workflows", "choose", sought, active],
    queryFn: () =>
      told(
        api.GET("/v2/workflows", {
          params: { query: { limit: MOST, orderBy: "lastTriggeredAt", query: sought || null, ...(active && { status: ["ACTIVE"] }) } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

interface WorkflowSelectProps extends Omit<SelectProps, "data" | "value" | "onChange"> {
  /** An identifier, empty for none. */
  value: string;
  onChange: (workflowId: string) => void;
  /** Whether only those can be chosen that a trigger starts. */
  active?: boolean;
}

/** Chooses a workflow, found by a part of its name or identifier. */
export function WorkflowSelect({ value, onChange, active = false, ...rest }: WorkflowSelectProps) {
  const [search, setSearch] = useState("");
  const [sought] = useDebouncedValue(search.trim(), 200);
  const listed = (useWorkflows(sought, active).data?.workflows ?? []).map((one) => ({ value: one.workflowId, label: one.name }));
  const data = value && !listed.some((one) => one.value === value) ? [{ value, label: value }, ...listed] : listed;
  return (
    <Select
      searchable
      nothingFoundMessage={sought ? text.workflows.nothing : text.workflows.empty}
      {...rest}
      data={data}
      value={value || null}
      onChange={(chosen) => onChange(chosen ?? "")}
      onSearchChange={(typed) => setSearch(typed === data.find((one) => one.value === value)?.label ? "" : typed)}
      filter={({ options }) => options}
    />
  );
}
