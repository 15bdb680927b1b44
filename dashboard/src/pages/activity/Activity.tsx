import { Badge, Button, NativeSelect, SimpleGrid, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { api, told } from "../../data/client";
import { OWN_RANGE, queryOf, trimmed, type FeedFilter } from "../../data/feed";
import { useFeedState, type FeedState } from "../../data/live";
import { Heading } from "../../parts/states";
import { TimeRange } from "../../parts/TimeRange";
import { WorkflowSelect } from "../../parts/WorkflowSelect";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";
import { Feed } from "./Feed";

const words = text.activity;
const FEED_TONES: Record<FeedState, string> = { none: "gray", connecting: "blue", live: "teal", reconnecting: "yellow", offline: "red" };
const choices = (named: Record<string, string>) => Object.entries(named).map(([value, label]) => ({ value, label }));

/** The live feed and its filters, which stand in the address. */
export function Activity() {
  const filter = useSearch({ strict: false }) as FeedFilter;
  const navigate = useNavigate();
  const set = (part: FeedFilter) => void navigate({ to: ".", search: trimmed({ ...filter, ...part }), replace: true });
  const [asked] = useDebouncedValue(JSON.stringify(filter), 250);
  const filtered = Object.keys(trimmed(filter)).length > 0;
  return (
    <>
      <Heading title={words.title} about={words.about}>
        <Live />
      </Heading>
      <Filters filter={filter} set={set} clear={filtered ? () => void navigate({ to: ".", search: {}, replace: true }) : null} />
      <Feed fixed={queryOf(JSON.parse(asked) as FeedFilter, Date.now())} filtered={filtered} />
    </>
  );
}

/** How the feed stands. Where there is none the page asks by itself. */
function Live() {
  const state = useFeedState();
  const [label, help] = words.feed[state];
  return (
    <Tooltip label={help} events={{ hover: true, focus: true, touch: true }}>
      <Badge color={FEED_TONES[state]} variant="dot" size="lg" role="status" tabIndex={0}>
        {label}
      </Badge>
    </Tooltip>
  );
}

function Filters({ filter, set, clear }: { filter: FeedFilter; set: (part: FeedFilter) => void; clear: (() => void) | null }) {
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), staleTime: Infinity });
  const { filters } = words;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} mb="md" spacing="sm" role="search">
      <TextInput label={filters.search} value={filter.search ?? ""} onChange={(e) => set({ search: e.currentTarget.value })} />
      <WorkflowSelect label={filters.workflow} placeholder={filters.any} clearable value={filter.workflow ?? ""} onChange={(workflow) => set({ workflow })} />
      <NativeSelect label={filters.status} data={choices(filters.statuses)} value={filter.status ?? ""} onChange={(e) => set({ status: e.currentTarget.value })} />
      <NativeSelect
        label={filters.provider}
        data={[{ value: "", label: filters.any }, ...(providers.data ?? []).filter((one) => one.supported).map((one) => ({ value: one.id, label: one.name }))]}
        value={filter.provider ?? ""}
        onChange={(e) => set({ provider: e.currentTarget.value })}
      />
      <NativeSelect
        label={filters.severity}
        data={[{ value: "", label: filters.any }, ...choices(workflowText.settings.severities)]}
        value={filter.severity ?? ""}
        onChange={(e) => set({ severity: e.currentTarget.value })}
      />
      <NativeSelect label={filters.since} data={choices(filters.times)} value={filter.since ?? ""} onChange={(e) => set({ since: e.currentTarget.value })} />
      {filter.since === OWN_RANGE && <TimeRange from={filter.from ?? ""} until={filter.until ?? ""} change={set} />}
      <TextInput label={filters.error} value={filter.error ?? ""} onChange={(e) => set({ error: e.currentTarget.value })} />
      {clear && (
        <Button variant="subtle" color="gray" onClick={clear} style={{ alignSelf: "flex-end" }}>
          {filters.clear}
        </Button>
      )}
    </SimpleGrid>
  );
}
