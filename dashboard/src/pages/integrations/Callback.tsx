import { Badge, Card, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, told } from "../../data/client";
import { text } from "../../text";
import type { Integration } from "./Detail";
import { ToPaste } from "./ToPaste";

const words = text.integrations;

/** How a provider that calls by itself is set up to do so; nothing for the others. */
export function Callback({ one, address }: { one: Integration; address: string }) {
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), staleTime: Infinity });
  const callback = providers.data?.find((each) => each.id === one.providerId)?.callback;
  if (!callback) return null;
  const proven = Boolean(one.credentials[callback.secret]);
  return (
    <Card maw={860}>
      <Stack>
        <Group gap="xs">
          <Title order={2}>{words.callback}</Title>
          <Badge color={proven ? "teal" : "gray"}>{proven ? text.on : text.off}</Badge>
        </Group>
        <Text size="sm">{callback.setup}</Text>
        <ToPaste label={words.callbackAt} value={address} />
        {callback.body && <ToPaste label={words.callbackBody} value={callback.body} />}
        <Text size="sm" c="dimmed">
          {proven ? words.callbackProven(callback.secret) : words.callbackUnproven(callback.secret)}
        </Text>
      </Stack>
    </Card>
  );
}
