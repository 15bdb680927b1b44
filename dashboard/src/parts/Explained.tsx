/** What was decided for each recipient, step and device, and why; then each try with the provider's answer. */
import { Accordion, Alert, Card, Group, Stack, Text, Timeline } from "@mantine/core";
import type { Schemas } from "../data/client";
import { text } from "../text";
import { Written } from "./Json";
import { TextLink } from "./links";
import { Status, toneOf } from "./Status";
import { When } from "./When";

const words = text.activity;
type Device = Schemas["DeviceExplained"];
type Decision = Schemas["Decision"];

export function Explained({ explanation }: { explanation: Schemas["Explanation"] }) {
  return (
    <Stack gap="md">
      {explanation.decisions && <Decisions decisions={explanation.decisions} />}
      {explanation.recipients.map((one) => (
        <Recipient key={one.notificationId} recipient={one} />
      ))}
    </Stack>
  );
}

export function Recipient({ recipient }: { recipient: Schemas["RecipientExplained"] }) {
  const devices = recipient.steps.reduce((count, step) => count + step.devices.length, 0);
  return (
    <Card component="section" aria-label={recipient.subscriberId}>
      <Stack gap="sm">
        <TextLink to="/subscribers/$subscriberId" params={{ subscriberId: recipient.subscriberId }} fw={600} style={{ alignSelf: "flex-start" }}>
          {recipient.subscriberId}
        </TextLink>
        {recipient.decisions && <Decisions decisions={recipient.decisions} />}
        {recipient.steps.map((step) => (
          <Stack key={step.stepId} gap="xs">
            <Decisions decisions={step.decisions} />
            {step.devices.map((device) => (
              <DeviceCard key={device.messageId} device={device} />
            ))}
          </Stack>
        ))}
        {devices === 0 && (
          <Text size="sm" c="dimmed">
            {words.noDevices}
          </Text>
        )}
      </Stack>
    </Card>
  );
}

function Decisions({ decisions }: { decisions: Decision[] }) {
  if (decisions.length === 0) return null;
  return (
    <Timeline bulletSize={12} lineWidth={2} active={decisions.length} color="gray">
      {decisions.map((one, at) => (
        <Timeline.Item key={`${one.event}${at}`}>
          <Text size="sm">{one.text}</Text>
          <Text size="xs" c="dimmed" component="div">
            <When at={one.at} />
          </Text>
          {words.events[one.event] && (
            <Text size="sm" mt={2}>
              <b>{words.wayOut}:</b> {words.events[one.event]}
            </Text>
          )}
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

/** One message to one device: where it stands, every try, and the way out where there is one. */
function DeviceCard({ device }: { device: Device }) {
  const attempts = device.attempts ?? [];
  const last = attempts.at(-1);
  const remedy = last && device.state !== "delivered" ? words.remedies[last.outcome] : undefined;
  return (
    <Card padding="sm" bg="var(--clarion-surface)">
      <Stack gap="xs">
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Status status={device.state} />
            <Text size="sm" fw={600}>
              {device.deviceId ?? device.token ?? text.none}
            </Text>
          </Group>
          <Text size="xs" c="dimmed">
            {[device.integrationIdentifier, device.providerId].filter(Boolean).join(" · ")}
          </Text>
        </Group>
        {(device.title || device.body) && (
          <div>
            <Text size="sm" fw={600}>
              {device.title}
            </Text>
            <Text size="sm">{device.body}</Text>
          </div>
        )}
        {device.decisions && <Decisions decisions={device.decisions} />}
        {attempts.length > 0 && (
          <Timeline bulletSize={12} lineWidth={2} active={attempts.length}>
            {attempts.map((one, at) => (
              <Timeline.Item key={`${one.at}${at}`} color={toneOf(one.outcome)}>
                <Group gap="xs">
                  <Status status={one.outcome} />
                  {one.code && <Text size="sm">{one.code}</Text>}
                  <Text size="xs" c="dimmed" component="div">
                    {one.number ? `${words.attempt(one.number)} · ` : ""}
                    <When at={one.at} />
                  </Text>
                </Group>
                {one.explanation && <Text size="sm">{one.explanation}</Text>}
                {one.response && <Answer response={one.response} />}
              </Timeline.Item>
            ))}
          </Timeline>
        )}
        {remedy && (
          <Alert color="blue" p="xs" title={words.wayOut}>
            {remedy}
          </Alert>
        )}
      </Stack>
    </Card>
  );
}

function Answer({ response }: { response: string }) {
  return (
    <Accordion variant="default" mt={4} styles={{ control: { padding: 0 }, content: { padding: 0 }, label: { padding: "4px 0" }, item: { border: 0 } }}>
      <Accordion.Item value="answer">
        <Accordion.Control>
          <Text size="xs">{words.answer}</Text>
        </Accordion.Control>
        <Accordion.Panel>
          <Written value={response} label={words.answer} />
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
