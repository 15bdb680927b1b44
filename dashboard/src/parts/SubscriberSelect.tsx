import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, whole } from "../data/client";
import { text } from "../text";
import { SearchSelect, useSought, type ChosenProps } from "./SearchSelect";

const MOST = 10;

/** Chooses a subscriber, found by a part of their name or by their id. */
export function SubscriberSelect(props: ChosenProps) {
  const [sought, search] = useSought();
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
  return <SearchSelect nothingFoundMessage={text.search.nothing} {...props} found={listed} search={search} />;
}
