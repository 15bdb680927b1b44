import { Card, Group, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, whole, type Schemas } from "../../data/client";
import { useCursor } from "../../data/paging";
import { Button } from "../../parts/acts";
import { BackLink } from "../../parts/BackLink";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { EndSubscription } from "../../parts/EndSubscription";
import { TextLink } from "../../parts/links";
import { Filters, Listing, SearchField } from "../../parts/ListControls";
import { counted, Pager } from "../../parts/Pager";
import { Empty, Heading, Loaded } from "../../parts/states";
import { SubscriberSelect } from "../../parts/SubscriberSelect";
import { When } from "../../parts/When";
import { text } from "../../text";
import { nameOf } from "../subscribers/List";

const words = text.topics;

/** A topic and who is subscribed to it. */
export function TopicDetail() {
  const { topicKey } = useParams({ strict: false }) as { topicKey: string };
  const topic = useQuery({
    queryKey: ["topic", topicKey],
    queryFn: () => told(api.GET("/v2/topics/{topicKey}", { params: { path: { topicKey } } })),
  });
  return <Loaded query={topic}>{(found) => <Shown topic={found} />}</Loaded>;
}

function Shown({ topic }: { topic: Schemas["TopicOut"] }) {
  const topicKey = topic.key;
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [search, setSearch] = useState("");
  const [sought] = useDebouncedValue(search.trim(), 250);
  const { page, newer, older } = useCursor(["subscriptions", topicKey, sought], (place) =>
    whole(
      api.GET("/v2/topics/{topicKey}/subscriptions", {
        params: { path: { topicKey }, query: { limit: 25, ...place, ...(sought && { subscriberId: sought }) } },
      }),
    ),
  );
  const remove = useChange(() => told(api.DELETE("/v2/topics/{topicKey}", { params: { path: { topicKey } } })), {
    stale: ["topics"],
    said: words.removed,
    then: () => void navigate({ to: "/topics" }),
  });
  return (
    <>
      <Heading title={topic.name || topicKey} above={<BackLink to="/topics" label={words.back} />}>
        <Identifier value={topicKey} />
        <Button needs="editor" variant="subtle" color="red" onClick={() => setAsking(true)}>
          {text.remove}
        </Button>
      </Heading>
      <Stack>
        <AddMember topicKey={topicKey} />
        <Filters>
          <SearchField label={words.searchMembers} value={search} onChange={setSearch} />
        </Filters>
        <Loaded query={page}>
          {(found) =>
            found.data.length === 0 ? (
              <Empty icon={IconUsers} title={words.noMembers} help={words.noMembersHelp} />
            ) : (
              <div>
                <Listing label={words.members} columns={[text.activity.subscriber, words.contexts, words.created, ""]}>
                  {found.data.map((one) => (
                    <Table.Tr key={one._id}>
                      <Table.Td>
                        <TextLink to="/subscribers/$subscriberId" params={{ subscriberId: one.subscriber.subscriberId }} fw={600} size="sm">
                          {nameOf(one.subscriber) || one.subscriber.subscriberId}
                        </TextLink>
                      </Table.Td>
                      <Table.Td>
                        <Text size="sm">{one.contextKeys.join(", ") || "—"}</Text>
                      </Table.Td>
                      <Table.Td>
                        <Text size="sm" component="span">
                          <When at={one.createdAt} />
                        </Text>
                      </Table.Td>
                      <Table.Td ta="right">
                        <EndSubscription
                          topicKey={topicKey}
                          subscriberId={one.subscriber.subscriberId}
                          identifier={one.identifier}
                          words={{
                            label: words.end,
                            of: one.subscriber.subscriberId,
                            asks: words.ending(one.subscriber.subscriberId),
                            done: words.ended,
                          }}
                        />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Listing>
                <Pager total={counted(found, words.memberNoun)} newer={newer} older={older} />
              </div>
            )
          }
        </Loaded>
      </Stack>
      <Confirm opened={asking} close={() => setAsking(false)} title={words.removing(topicKey)} loses={words.loses} action={text.remove} change={remove} />
    </>
  );
}

function AddMember({ topicKey }: { topicKey: string }) {
  const [subscriberId, setId] = useState("");
  const add = useChange(
    () => whole(api.POST("/v2/topics/{topicKey}/subscriptions", { params: { path: { topicKey } }, body: { subscriptions: [subscriberId] } })),
    { stale: ["subscriptions"], said: words.subscribed, then: () => setId("") },
  );
  return (
    <Card>
      <Group align="flex-end">
        <SubscriberSelect label={words.addMember} value={subscriberId} onChange={setId} error={add.error?.message} style={{ flex: 1 }} maw={420} />
        <Button needs="editor" disabled={!subscriberId} loading={add.isPending} onClick={() => add.mutate()}>
          {words.subscribe}
        </Button>
      </Group>
    </Card>
  );
}
