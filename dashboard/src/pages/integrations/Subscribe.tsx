import { Card, Code, Group, Stack, Text } from "@mantine/core";
import { Copy, Identifier } from "../../parts/Copy";
import { text } from "../../text";
import type { Integration } from "./Detail";

const words = text.integrations;

/** What a browser needs to be reached: the public key, and the lines that ask it. */
export function Subscribe({ one }: { one: Integration }) {
  const publicKey = String(one.credentials["publicKey"] ?? "");
  const lines = snippet(publicKey);
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

function snippet(publicKey: string): string {
  return `// In your page
const registration = await navigator.serviceWorker.register("/push.js");
const subscription = await registration.pushManager.subscribe({
  userVisibleOnly: true,
  applicationServerKey: "${publicKey}",
});
await fetch("/my-server/push-subscription", { method: "POST", body: JSON.stringify(subscription) });

// On your server: POST /v1/subscribers/{subscriberId}/devices with
// { "providerId": "web-push", "platform": "web", "subscription": … }

// In /push.js
self.addEventListener("push", (event) => {
  const { title, ...options } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, options));
});`;
}
