import { MultiSelect, type MultiSelectProps } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, whole } from "../data/client";
import { text } from "../text";
import { useSought } from "./SearchSelect";

const MOST = 20;

/** Chooses topics, found by a part of their key. */
export function TopicsSelect({ value, ...rest }: Omit<MultiSelectProps, "data" | "value"> & { value: string[] }) {
  const [sought, search] = useSought();
  const found = useQuery({
    queryKey: ["topics", "choose", sought],
    queryFn: () => whole(api.GET("/v2/topics", { params: { query: { limit: MOST, ...(sought && { key: sought }) } } })),
    placeholderData: keepPreviousData,
  });
  const listed = (found.data?.data ?? []).map((one) => ({ value: one.key, label: one.name ? `${one.name} (${one.key})` : one.key }));
  const others = value.filter((key) => !listed.some((one) => one.value === key)).map((key) => ({ value: key, label: key }));
  return (
    <MultiSelect
      searchable
      nothingFoundMessage={sought ? text.topics.nothing : text.topics.empty}
      {...rest}
      data={[...others, ...listed]}
      value={value}
      onSearchChange={search}
      filter={({ options }) => options}
    />
  );
}
