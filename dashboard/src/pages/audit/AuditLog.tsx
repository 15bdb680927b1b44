import { Badge, Checkbox, Group, Modal, SimpleGrid, Stack, Table, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { api, whole, type Schemas } from "../../data/client";
import { useMember } from "../../data/member";
import { instantOf } from "../../data/moments";
import { useCursor } from "../../data/paging";
import { Written } from "../../parts/Json";
import { Listing } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { Empty, Heading, Loaded } from "../../parts/states";
import { TimeRange } from "../../parts/TimeRange";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.audit;
type Entry = Schemas["AuditEntryOut"];

/** Who changed what, newest first. */
export function AuditLog() {
  const [filter, setFilter] = useState({ actor: "", action: "", resource: "", from: "", until: "" });
  const [everywhere, setEverywhere] = useState(false);
  const [asked] = useDebouncedValue(filter, 250);
  const [shown, setShown] = useState<Entry | null>(null);
  const member = useMember().data;
  const { page, newer, older } = useCursor(["audit", asked, everywhere], (place) => {
    const { from, until, ...said } = asked;
    const times = { since: instantOf(from), until: instantOf(until) };
    const given = Object.fromEntries(Object.entries({ ...said, ...times }).filter(([, value]) => value?.trim()));
    return whole(api.GET("/v1/audit-log", { params: { query: { limit: 25, ...place, ...given, ...(everywhere && { everywhere }) } } }));
  });
  const filtered = Object.values(asked).some((value) => value.trim() !== "");
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <SimpleGrid cols={{ base: 1, sm: 3 }} mb="md" role="search">
        {(["actor", "action", "resource"] as const).map((name) => (
          <TextInput key={name} label={words[name]} value={filter[name]} onChange={(e) => setFilter({ ...filter, [name]: e.currentTarget.value })} />
        ))}
        <TimeRange from={filter.from} until={filter.until} change={(part) => setFilter({ ...filter, ...part })} />
        {member && <Checkbox label={words.everywhere} checked={everywhere} onChange={(e) => setEverywhere(e.currentTarget.checked)} style={{ alignSelf: "flex-end" }} pb={8} />}
      </SimpleGrid>
      <Loaded query={page}>
        {(found) =>
          found.data.length === 0 ? (
            <Empty icon={IconHistory} title={filtered ? words.nothing : words.empty} help={filtered ? words.nothingHelp : words.emptyHelp} />
          ) : (
            <>
              <Listing label={words.title} columns={Object.values(words.columns)}>
                {found.data.map((one) => (
                  <Row key={one._id} one={one} show={() => setShown(one)} />
                ))}
              </Listing>
              <Pager newer={newer} older={older} />
            </>
          )
        }
      </Loaded>
      <Modal opened={shown !== null} onClose={() => setShown(null)} title={shown?.action} size="xl" closeButtonProps={{ "aria-label": text.close }}>
        {shown && <Told one={shown} />}
      </Modal>
    </>
  );
}

function Row({ one, show }: { one: Entry; show: () => void }) {
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Text size="sm" component="span">
          <When at={one.at} />
        </Text>
      </Table.Td>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <Text size="sm" truncate maw={{ base: 80, lg: 180 }}>
            {one.actor.name || one.actor.id || "—"}
          </Text>
          <Badge color="gray">{words.kinds[one.actor.type] ?? one.actor.type}</Badge>
        </Group>
      </Table.Td>
      <Table.Td>
        <UnstyledButton onClick={show}>
          <Text size="sm" fw={600} c="var(--mantine-color-anchor)">
            {one.action}
          </Text>
        </UnstyledButton>
      </Table.Td>
      <Table.Td>
        <Text size="sm" miw={{ base: 140, lg: 220 }} style={{ overflowWrap: "anywhere" }}>
          {one.resource}
        </Text>
      </Table.Td>
      <Table.Td>
        <Badge color={one.status < 400 ? "teal" : "red"}>{one.status}</Badge>
      </Table.Td>
    </Table.Tr>
  );
}

function Told({ one }: { one: Entry }) {
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed" component="div">
        {[one.resource, one.actor.name || one.actor.id, one.address && `${words.from} ${one.address}`].filter(Boolean).join(" · ")} · <When at={one.at} />
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {(["before", "after"] as const).map((side) => (
          <div key={side}>
            <Title order={2}>{words[side]}</Title>
            <Written value={one[side] ?? null} label={words[side]} />
          </div>
        ))}
      </SimpleGrid>
    </Stack>
  );
}
