import { Stack, Table, Text, Title } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import type { Schemas } from "../../data/client";
import { useMay } from "../../data/member";
import { spanOf } from "../../data/moments";
import { Listing } from "../../parts/ListControls";
import { Empty, Heading, Loaded } from "../../parts/states";
import { text } from "../../text";
import { useJournal } from "../overview/data";
import { useNames, type LaneName } from "./lanes";
import { ParkedRecords } from "./Parked";

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
                    <Lane key={one.lane} one={one} name={nameOf(one)} />
                  ))}
                </Listing>
              )
            }
          </Loaded>
        </section>
        {may("admin") && <ParkedRecords lanes={journal.data?.lanes ?? []} nameOf={nameOf} />}
      </Stack>
    </>
  );
}

function Lane({ one, name }: { one: Schemas["LaneOut"]; name: LaneName }) {
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
