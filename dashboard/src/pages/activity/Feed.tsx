import { Group, Stack, Table, Text } from "@mantine/core";
import { IconActivity } from "@tabler/icons-react";
import { memo } from "react";
import { api, whole, type Schemas } from "../../data/client";
import { useTrail } from "../../data/paging";
import { TextLink } from "../../parts/links";
import { Listing } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { Empty, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { When } from "../../parts/When";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";

const words = text.activity;
const AT_ONCE = 25;
type Notification = Schemas["NotificationOut"];

interface FeedProps {
  /** What is asked for, in the API's words. */
  fixed: Record<string, unknown>;
  /** Whether it is filtered, so that an empty answer is told rightly. */
  filtered?: boolean;
}

/** Notifications, newest first; looked at again while the page is open. */
export function Feed({ fixed, filtered = false }: FeedProps) {
  const { page, back, on } = useTrail(
    ["activity", JSON.stringify(fixed)],
    (behind: string | undefined) => whole(api.GET("/v1/notifications", { params: { query: { ...fixed, ...(behind && { behind }), limit: AT_ONCE } } })),
    3000,
  );
  return (
    <Loaded query={page}>
      {(found) =>
        found.data.length === 0 ? (
          <Empty icon={IconActivity} title={filtered ? words.nothing : words.empty} help={filtered ? words.nothingHelp : words.emptyHelp} />
        ) : (
          <>
            <Listing label={words.title} columns={[words.workflow, words.steps, words.subscriber, words.when]}>
              {found.data.map((one) => (
                <Row key={one._id} one={one} />
              ))}
            </Listing>
            <Pager {...(back && { newer: back })} {...(on && { older: on })} />
          </>
        )
      }
    </Loaded>
  );
}

const Row = memo(function Row({ one }: { one: Notification }) {
  const name = one.template?.["name"];
  const subscriberId = String(one.subscriber["subscriberId"] ?? one._subscriberId);
  return (
    <Table.Tr>
      <Table.Td>
        <Stack gap={0}>
          <TextLink to="/activity/$notificationId" params={{ notificationId: one._id }} fw={600} size="sm">
            {typeof name === "string" ? name : words.unknownWorkflow}
          </TextLink>
          <Text size="xs" c="dimmed" truncate maw={180} title={one.transactionId}>
            {one.transactionId}
          </Text>
        </Stack>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {one.jobs
            .filter((job) => job.type !== "trigger")
            .map((job) => (
              <Status key={job._id} status={job.status} label={`${workflowText.kinds[job.type]?.[0] ?? job.type}: ${job.status}`} />
            ))}
        </Group>
      </Table.Td>
      <Table.Td>
        <TextLink to="/subscribers/$subscriberId" params={{ subscriberId }} size="sm" c="var(--mantine-color-text)">
          {subscriberId}
        </TextLink>
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Text size="sm" component="span">
          <When at={one.createdAt} />
        </Text>
      </Table.Td>
    </Table.Tr>
  );
});
