import { Accordion, Badge, Button, Code, Group, Stack, Text, TextInput, Timeline } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, whole, type Schemas } from "../data/client";
import { Empty, Heading, Loaded} from "../parts/states";
import { When } from "../parts/When";
import { text } from "../text";

const words = text.activity;
type Notification = Schemas["NotificationOut"];
type Detail = Schemas["ExecutionDetail"];

const COLORS: Record<string, string> = { completed: "teal", failed: "red", skipped: "yellow", canceled: "gray" };
const MARKS: Record<string, string> = { Success: "teal", Failed: "red", Warning: "yellow" };

/** The feed, looked at again every two seconds while the page is open. */
export function Activity() {
  const [subscriber, setSubscriber] = useState("");
  const [transaction, setTransaction] = useState("");
  const [page, setPage] = useState(0);
  const [filter] = useDebouncedValue({ subscriber, transaction }, 250);
  const feed = useQuery({
    queryKey: ["activity", filter, page],
    queryFn: async () => {
      const query = {
        page,
        limit: 20,
        ...(filter.subscriber && { subscriberIds: [filter.subscriber] }),
        ...(filter.transaction && { transactionId: filter.transaction }),
      };
      const found = await whole(api.GET("/v1/notifications", { params: { query } }));
      return found ?? null;
    },
    refetchInterval: 2000,
    placeholderData: keepPreviousData,
  });
  const first = (set: (value: string) => void) => (event: { currentTarget: { value: string } }) => {
    set(event.currentTarget.value);
    setPage(0);
  };
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Group mb="md" grow preventGrowOverflow={false}>
        <TextInput label={words.filters.search} value={subscriber} onChange={first(setSubscriber)} />
        <TextInput label={words.transaction} value={transaction} onChange={first(setTransaction)} />
      </Group>
      <Loaded query={feed}>
        {(found) => (
          <Stack>
            {!found || found.data.length === 0 ? (
              <Empty title={words.empty} help={words.emptyHelp} />
            ) : (
              <Accordion variant="separated">
                {found.data.map((one) => (
                  <Row key={one._id} one={one} />
                ))}
              </Accordion>
            )}
            <Group justify="flex-end">
              <Button variant="default" size="xs" disabled={page === 0} onClick={() => setPage(page - 1)}>
                {text.newer}
              </Button>
              <Button variant="default" size="xs" disabled={!found?.hasMore} onClick={() => setPage(page + 1)}>
                {text.older}
              </Button>
            </Group>
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function Row({ one }: { one: Notification }) {
  const name = one.template?.name;
  const details = one.jobs.flatMap((job) => job.executionDetails);
  return (
    <Accordion.Item value={one._id}>
      <Accordion.Control>
        <Group gap="sm">
          <Text fw={600}>{typeof name === "string" ? name : words.unknownWorkflow}</Text>
          {one.jobs.map((job) => (
            <Badge key={job._id} variant="light" color={COLORS[job.status] ?? "blue"}>
              {job.type} {job.status}
            </Badge>
          ))}
          <Text size="sm" c="dimmed">
            {String(one.subscriber?.subscriberId ?? one._subscriberId)} · {one.transactionId} · <When at={one.createdAt} />
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Text fw={600} mb="sm">
          {words.trail}
        </Text>
        {details.length === 0 ? <Text c="dimmed">{words.noTrail}</Text> : <Trail details={details} />}
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Trail({ details }: { details: Detail[] }) {
  return (
    <Timeline bulletSize={14} lineWidth={2} active={details.length}>
      {details.map((one) => (
        <Timeline.Item key={one._id} color={MARKS[one.status] ?? "gray"} title={one.detail}>
          <Text size="sm" c="dimmed">
            {[one.status, one.providerId].filter(Boolean).join(" · ")} · <When at={one.createdAt} />
          </Text>
          {one.raw && (
            <Code block mt={4} aria-label={words.answer}>
              {one.raw}
            </Code>
          )}
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
