import { Card, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconTags } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useChange } from "../../data/change";
import { api, whole } from "../../data/client";
import { useCursor } from "../../data/paging";
import { Button } from "../../parts/acts";
import { EndSubscription } from "../../parts/EndSubscription";
import { TextLink } from "../../parts/links";
import { Listing } from "../../parts/ListControls";
import { counted, Pager } from "../../parts/Pager";
import { Empty, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.subscribers.topics;

/** The topics that a subscriber is subscribed to. */
export function Topics({ subscriberId }: { subscriberId: string }) {
  const { page, newer, older } = useCursor(["subscriptions", "of", subscriberId], (place) =>
    whole(api.GET("/v2/subscribers/{subscriberId}/subscriptions", { params: { path: { subscriberId }, query: { limit: 25, ...place } } })),
  );
  return (
    <Stack maw={760}>
      <Join subscriberId={subscriberId} />
      <Loaded query={page}>
        {(found) =>
          found.data.length === 0 ? (
            <Empty icon={IconTags} title={words.empty} help={words.emptyHelp} />
          ) : (
            <>
              <Listing label={text.topics.title} columns={[text.topics.name, text.topics.contexts, text.topics.created, ""]}>
                {found.data.map((one) => (
                  <Table.Tr key={one._id}>
                    <Table.Td>
                      <TextLink to="/topics/$topicKey" params={{ topicKey: one.topic.key }} size="sm" fw={600}>
                        {one.topic.name || one.topic.key}
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
                        topicKey={one.topic.key}
                        subscriberId={subscriberId}
                        identifier={one.identifier}
                        words={{ label: words.leave, of: one.topic.key, asks: words.leaving(one.topic.key), done: words.left }}
                      />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Listing>
              <Pager total={counted(found, text.topics.noun)} newer={newer} older={older} />
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

function Join({ subscriberId }: { subscriberId: string }) {
  const [topicKey, setKey] = useState("");
  const join = useChange(
    () => whole(api.POST("/v2/topics/{topicKey}/subscriptions", { params: { path: { topicKey } }, body: { subscriptions: [subscriberId] } })),
    { stale: ["subscriptions", "topics"], said: words.joined, then: () => setKey("") },
  );
  function submit(event: FormEvent) {
    event.preventDefault();
    join.mutate();
  }
  return (
    <Card component="form" onSubmit={submit}>
      <Group align="flex-end">
        <TextInput label={words.key} value={topicKey} onChange={(e) => setKey(e.currentTarget.value)} error={join.error?.message} style={{ flex: "1 1 16rem" }} required />
        <Button needs="editor" type="submit" loading={join.isPending} disabled={!topicKey}>
          {words.join}
        </Button>
      </Group>
    </Card>
  );
}
