import { Card, Code, Group, Stack, Text } from "@mantine/core";
import { subscribing } from "../../data/subscribing";
import { Copy, Identifier } from "../../parts/Copy";
import { text } from "../../text";
import type { Integration } from "./Detail";

const words = text.integrations;

/** What a browser needs to be reached: the public key, and the lines that ask it. */
export function Subscribe({ one }: { one: Integration }) {
  const publicKey = String(one.credentials["publicKey"] ?? "");
  const lines = subscribing(publicKey);
  return (
    <Card maw={860}>
      <Stack>
        <Text size="sm" c="dimmed">
          {words.subscribeHelp}
        </Text>
        <div>
          <Text size="sm" fw={600}>
            {words.publicKey}
          </Text>
          <Identifier value={publicKey} />
        </div>
        <div>
          <Group justify="flex-end">
            <Copy value={lines} />
          </Group>
          <Code block tabIndex={0} role="region" aria-label={words.subscribe} style={{ overflowX: "auto" }}>
            {lines}
          </Code>
        </div>
      </Stack>
    </Card>
  );
}
