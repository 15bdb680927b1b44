/** The search: pages, workflows and subscribers by name, from the keyboard. */
import "@mantine/spotlight/styles.css";
import { createSpotlight, Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from "@mantine/spotlight";
import { useDebouncedValue, useHotkeys } from "@mantine/hooks";
import { IconRoute, IconSearch, IconUser } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, told, whole } from "../data/client";
import { text } from "../text";
import { PAGES } from "./pages";
import { search } from "./searching";

const [store, spotlight] = createSpotlight();
const words = text.search;
const MOST = 6;

export default function Search() {
  const navigate = useNavigate();
  const [query, setQuery] = useState("");
  const [sought] = useDebouncedValue(query.trim(), 150);
  useEffect(() => search.listen(spotlight.open), []);
  useHotkeys([["mod+K", spotlight.open]], []); // in fields, too, which a plain key is typed into
  const found = useQuery({
    queryKey: ["search", sought],
    queryFn: () => look(sought),
    enabled: sought.length > 1,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const go = (to: string) => () => void navigate({ to });
  const pages: SpotlightActionData[] = PAGES.filter(({ label }) => label.toLowerCase().includes(query.trim().toLowerCase())).map(
    ({ to, label, icon: Icon }) => ({ id: to, label, leftSection: <Icon size={18} stroke={1.6} aria-hidden />, onClick: go(to) }),
  );
  const workflows: SpotlightActionData[] = (found.data?.workflows ?? []).map((one) => ({
    id: `workflow ${one.workflowId}`,
    label: one.name,
    description: one.workflowId,
    leftSection: <IconRoute size={18} stroke={1.6} aria-hidden />,
    onClick: go(`/workflows/${encodeURIComponent(one.workflowId)}`),
  }));
  const subscribers: SpotlightActionData[] = (found.data?.subscribers ?? []).map((one) => ({
    id: `subscriber ${one.subscriberId}`,
    label: [one.firstName, one.lastName].filter(Boolean).join(" ") || one.subscriberId,
    description: one.subscriberId,
    leftSection: <IconUser size={18} stroke={1.6} aria-hidden />,
    onClick: go(`/subscribers/${encodeURIComponent(one.subscriberId)}`),
  }));
  const groups: SpotlightActionGroupData[] = [
    { group: words.pages, actions: pages },
    { group: words.workflows, actions: sought.length > 1 ? workflows : [] },
    { group: words.subscribers, actions: sought.length > 1 ? subscribers : [] },
  ].filter((group) => group.actions.length > 0);
  return (
    <Spotlight
      store={store}
      query={query}
      onQueryChange={setQuery}
      actions={groups}
      filter={(_, given) => given}
      shortcut="/"
      nothingFound={words.nothing}
      highlightQuery
      scrollable
      maxHeight={420}
      searchProps={{ leftSection: <IconSearch size={18} stroke={1.6} aria-hidden />, placeholder: words.placeholder, "aria-label": words.action }}
    />
  );
}

async function look(sought: string) {
  const [workflows, named, exact] = await Promise.all([
    told(api.GET("/v2/workflows", { params: { query: { query: sought, limit: MOST } } })),
    whole(api.GET("/v2/subscribers", { params: { query: { name: sought, limit: MOST } } })),
    whole(api.GET("/v2/subscribers", { params: { query: { subscriberId: sought, limit: MOST } } })),
  ]);
  const subscribers = new Map([...exact.data, ...named.data].map((one) => [one._id, one]));
  return { workflows: workflows.workflows, subscribers: [...subscribers.values()].slice(0, MOST) };
}
