import { Autocomplete, Group, NativeSelect, Table, Text, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, whole, type Schemas } from "../../data/client";
import { useTrail } from "../../data/paging";
import { say } from "../../data/say";
import { Button } from "../../parts/acts";
import { Confirm } from "../../parts/Confirm";
import { Filters, Listing } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { ChangeFailure, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";
import type { LaneName } from "./lanes";

const words = text.journal;
const STALE = ["parked", "journal"];

type ParkedRow = Schemas["ParkedOut"];

interface Filter {
  lane: string;
  kind: string;
}

interface Props {
  lanes: Schemas["LaneOut"][];
  nameOf: (one: { lane: string; endpoint?: string | null }) => LaneName;
}

/** What was set aside: all, or of a lane, or for one kind of reason; and its replay. */
export function ParkedRecords({ lanes, nameOf }: Props) {
  const [filter, setFilter] = useState<Filter>({ lane: "", kind: "" });
  const [asked] = useDebouncedValue(queryOf(filter), 250);
  const [asking, setAsking] = useState(false);
  const filtered = Object.keys(asked).length > 0;
  const { page: parked, back, on } = useTrail(
    ["parked", asked],
    (after: number | undefined) => whole(api.GET("/v1/journal/parked", { params: { query: { limit: 25, ...asked, ...(after && { after }) } } })),
    5000,
  );
  const replay = useChange((parkedId: string) => told(api.POST("/v1/journal/parked/{parkedId}/replay", { params: { path: { parkedId } } })), {
    stale: STALE,
    said: words.replayed,
  });
  const replayAll = useChange(() => everything(asked), { stale: STALE, then: (number) => say(words.replayedAll(number)) });
  const shown = parked.data?.data ?? [];
  return (
    <section aria-labelledby="parked">
      <Group justify="space-between" mb="sm">
        <Title order={2} id="parked">
          {words.parked}
        </Title>
        {(back || on || shown.length > 1) && (
          <Button needs="admin" size="compact-sm" variant="default" onClick={() => setAsking(true)}>
            {filtered ? words.replayThese : words.replayAll}
          </Button>
        )}
      </Group>
      {replay.error && <ChangeFailure error={replay.error} />}
      {(filtered || back || shown.length > 0) && <FilterFields filter={filter} setFilter={setFilter} known={[...lanes, ...shown]} shown={shown} nameOf={nameOf} />}
      <Loaded query={parked}>
        {(found) =>
          found.data.length === 0 ? (
            <>
              <Text size="sm" c="dimmed">
                {back ? words.noMoreParked : filtered ? words.noneFits : words.noParked}
              </Text>
              <Pager {...(back && { older: back })} />
            </>
          ) : (
            <>
              <Listing label={words.parked} columns={[words.lane, words.error, words.claims, words.at, ""]}>
                {found.data.map((one) => (
                  <ParkedRecord key={one.id} one={one} name={nameOf(one)} replay={() => replay.mutate(String(one.id))} />
                ))}
              </Listing>
              <Pager {...(on && { newer: on })} {...(back && { older: back })} />
            </>
          )
        }
      </Loaded>
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title={filtered ? words.replayingThese : words.replaying}
        loses={words.replayLoses}
        action={filtered ? words.replayThese : words.replayAll}
        change={replayAll}
      />
    </section>
  );
}

function queryOf({ lane, kind }: Filter): Partial<Filter> {
  const sought = kind.trim();
  return { ...(lane && { lane }), ...(sought && { kind: sought }) };
}

/** Replays all that is parked and wanted, some at a time; how many those were. */
async function everything(wanted: Partial<Filter>): Promise<number> {
  let number = 0;
  for (let after: number | null | undefined = 0; after !== null && after !== undefined; ) {
    const done: Schemas["ReplayedOut"] = await told(api.POST("/v1/journal/parked/replay", { params: { query: { ...wanted, after } } }));
    number += done.replayed;
    after = done.next;
  }
  return number;
}

interface FieldsProps {
  filter: Filter;
  setFilter: (filter: Filter) => void;
  known: { lane: string; endpoint?: string | null }[];
  shown: ParkedRow[];
  nameOf: Props["nameOf"];
}

function FilterFields({ filter, setFilter, known, shown, nameOf }: FieldsProps) {
  const names = new Map(known.map((one) => [one.lane, nameOf(one)]));
  if (filter.lane && !names.has(filter.lane)) names.set(filter.lane, nameOf(filter));
  const lanes = [...names].map(([value, { kind, of }]) => ({ value, label: `${kind} · ${of}` }));
  return (
    <Filters>
      <NativeSelect
        label={words.lane}
        data={[{ value: "", label: words.any }, ...lanes]}
        value={filter.lane}
        onChange={(event) => setFilter({ ...filter, lane: event.currentTarget.value })}
      />
      <Autocomplete
        label={words.kind}
        placeholder={words.any}
        data={[...new Set(shown.map((one) => one.kind))]}
        value={filter.kind}
        onChange={(kind) => setFilter({ ...filter, kind })}
      />
    </Filters>
  );
}

function ParkedRecord({ one, name, replay }: { one: ParkedRow; name: LaneName; replay: () => void }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600}>
          {name.kind}
        </Text>
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {name.of}
        </Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {one.error}
        </Text>
      </Table.Td>
      <Table.Td>{one.claims}</Table.Td>
      <Table.Td>
        <When at={one.parkedAt} />
      </Table.Td>
      <Table.Td ta="right">
        <Button needs="admin" size="compact-xs" variant="default" onClick={replay}>
          {words.replay}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}
