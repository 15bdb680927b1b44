import { Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, whole } from "../data/client";
import { text } from "../text";

const MOST = 10;

/** Chooses a subscriber, found by a part of their name or by their id. */
export function SubscriberSelect({ value, onChange, ...rest }: Omit<SelectProps, "data" | "value" | "onChange"> & { value: string; onChange: (id: string) => void }) {
  const [search, setSearch] = useState("");
  const [sought] = useDebouncedValue(search.trim(), 200);
  const found = useQuery({
    queryKey: ["subscribers", "choose", sought],
    queryFn: async () => {
      const ask = (query: { name?: string; subscriberId?: string }) => whole(api.GET("/v2/subscribers", { params: { query: { limit: MOST, ...query } } }));
      const pages = await Promise.all(sought ? [ask({ subscriberId: sought }), ask({ name: sought })] : [ask({})]);
      return [...new Map(pages.flatMap((page) => page.data).map((one) => [one.subscriberId, one])).values()];
    },
    placeholderData: keepPreviousData,
  });
  const listed = (found.data ?? []).map((one) => {
    const name = [one.firstName, one.lastName].filter(Boolean).join(" ");
    return { value: one.subscriberId, label: name ? `${name} (${one.subscriberId})` : one.subscriberId };
  });
  const data = value && !listed.some((one) => one.value === value) ? [{ value, label: value }, ...listed] : listed;
  return (
    <Select
      searchable
      nothingFoundMessage={text.search.nothing}
      {...rest}
      data={data}
      value={value || null}
      onChange={(chosen) => onChange(chosen ?? "")}
      onSearchChange={(typed) => setSearch(typed === data.find((one) => one.value === value)?.label ? "" : typed)}
      filter={({ options }) => options}
    />
  );
}
