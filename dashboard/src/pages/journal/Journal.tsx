import { Group, Stack, Table, Text, Title } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, whole, type Schemas } from "../../data/client";
import { useEnvironments } from "../../data/environments";
import { useMay } from "../../data/member";
import { spanOf } from "../../data/moments";
import { useTrail } from "../../data/paging";
import { say } from "../../data/say";
import { Button } from "../../parts/acts";
import { Confirm } from "../../parts/Confirm";
import { Listing } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { ChangeFailure, Empty, Heading, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";
import { useJournal } from "../overview/data";

const words = text.journal;

/** What waits, lane by lane, and what was set aside. */
export function Journal() {
  const journal = useJournal();
  const nameOf = useNames();
  const may = useMay();
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Stack gap="xl">
        <section aria-labelledby="waiting">
          <Title order={2} mb="sm" id="waiting">
            {words.waiting}
          </Title>
          <Loaded query={journal}>
            {(found) =>
              found.lanes.length === 0 ? (
                <Empty icon={IconStack2} title={words.nothing} help={words.nothingHelp} />
              ) : (
                <Listing label={words.waiting} columns={[words.lane, words.records, words.due, words.leased, words.oldest]}>
                  {found.lanes.map((one) => (
                    <Lane key={one.lane} one={one} name={nameOf(one.lane)} />
                  ))}
                </Listing>
              )
            }
          </Loaded>
        </section>
        {may("admin") && <ParkedRecords nameOf={nameOf} />}
      </Stack>
    </>
  );
}

/** Lanes by what they are for: `deliver:ID` is the delivery of an integration. */
function useNames(): (lane: string) => { kind: string; of: string } {
  const environments = useEnvironments().data ?? [];
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) }).data ?? [];
  const names = new Map([...environments, ...integrations].map((one) => [one._id, one.name]));
  return (lane) => {
    const [kind = "", id = ""] = lane.split(":");
    return { kind: words.kinds[kind] ?? kind, of: names.get(id) ?? id };
  };
}

function Lane({ one, name }: { one: Schemas["LaneOut"]; name: { kind: string; of: string } }) {
  const shown = (count: number | null | undefined) => (count === null || count === undefined ? "—" : count.toLocaleString());
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600}>
          {name.kind}
        </Text>
        <Text size="xs" c="dimmed">
          {name.of}
        </Text>
      </Table.Td>
      <Table.Td>{shown(one.records)}</Table.Td>
      <Table.Td>{shown(one.due)}</Table.Td>
      <Table.Td>{shown(one.leased)}</Table.Td>
      <Table.Td>{one.oldest ? spanOf(one.oldest) : "—"}</Table.Td>
    </Table.Tr>
  );
}

/** Replays all that is parked, some at a time; how many those were. */
async function everything(): Promise<number> {
  let number = 0;
  for (let after: number | null | undefined = 0; after !== null && after !== undefined; ) {
    const done: Schemas["ReplayedOut"] = await told(api.POST("/v1/journal/parked/replay", { params: { query: { after } } }));
    number += done.replayed;
    after = done.next;
  }
  return number;
}

function ParkedRecords({ nameOf }: { nameOf: (lane: string) => { kind: string; of: string } }) {
  const [asking, setAsking] = useState(false);
  const { page: parked, back, on } = useTrail(["parked"], (after: number | undefined) => whole(api.GET("/v1/journal/parked", { params: { query: { limit: 25, ...(after && { after }) } } })), 5000);
  const stale = ["parked", "journal"];
  const replay = useChange((parkedId: string) => told(api.POST("/v1/journal/parked/{parkedId}/replay", { params: { path: { parkedId } } })), {
    stale,
    said: words.replayed,
  });
  const replayAll = useChange(everything, { stale, then: (number) => say(words.replayedAll(number)) });
  return (
    <section aria-labelledby="parked">
      <Group justify="space-between" mb="sm">
        <Title order={2} id="parked">
          {words.parked}
        </Title>
        {(back || on || (parked.data?.data.length ?? 0) > 1) && (
          <Button needs="admin" size="compact-sm" variant="default" onClick={() => setAsking(true)}>
            {words.replayAll}
          </Button>
        )}
      </Group>
      {replay.error && <ChangeFailure error={replay.error} />}
      <Loaded query={parked}>
        {(found) =>
          found.data.length === 0 ? (
            <>
              <Text size="sm" c="dimmed">
                {back ? words.noMoreParked : words.noParked}
              </Text>
              <Pager {...(back && { older: back })} />
            </>
          ) : (
            <>
            <Listing label={words.parked} columns={[words.lane, words.error, words.claims, words.at, ""]}>
              {found.data.map((one) => (
                <Table.Tr key={one.id}>
                  <Table.Td>
                    <Text size="sm" fw={600}>
                      {nameOf(one.lane).kind}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {nameOf(one.lane).of}
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
                    <Button needs="admin" size="compact-xs" variant="default" onClick={() => replay.mutate(String(one.id))}>
                      {words.replay}
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Listing>
            <Pager {...(on && { newer: on })} {...(back && { older: back })} />
            </>
          )
        }
      </Loaded>
      <Confirm opened={asking} close={() => setAsking(false)} title={words.replaying} loses={words.replayLoses} action={words.replayAll} change={replayAll} />
    </section>
  );
}
