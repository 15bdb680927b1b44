import { Alert, Card, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import type { Schemas } from "../../data/client";
import { percent, shares, type Statistics } from "../../data/overview";
import { spanOf } from "../../data/moments";
import { together, type Together } from "../../data/together";
import { TextLink } from "../../parts/links";
import { Failure } from "../../parts/states";
import { text } from "../../text";
import { useEndpoints, useJournal, useStandings, type Standing } from "./data";

const words = text.overview;
const MANY = 0.1;
const ENOUGH = 10;
const LONG = 60_000;

interface Concern {
  key: string;
  said: string;
  to: string;
  grave: boolean;
}

/** What needs a look first, the gravest first. That nothing does is said only when everything is known. */
export function Attention({ statistics }: { statistics: Statistics }) {
  const { concerns, known, error, retry } = useConcerns(statistics);
  if (concerns.length === 0 && !error) return <Nothing known={known} />;
  return (
    <section aria-labelledby="attention">
      <Title order={2} mb="sm" id="attention">
        {words.attention}
      </Title>
      <Stack gap="xs">
        {error && <Failure title={words.unsure} error={error} retry={retry} />}
        {concerns.map((one) => (
          <Alert key={one.key} color={one.grave ? "red" : "yellow"} icon={<IconAlertTriangle size={18} />} p="sm">
            <TextLink to={one.to} c="var(--mantine-color-text)" size="sm">
              {one.said}
            </TextLink>
          </Alert>
        ))}
      </Stack>
    </section>
  );
}

function Nothing({ known }: { known: boolean }) {
  return (
    <Card padding="sm" role="status">
      <Group gap="xs">
        {known ? <IconCircleCheck size={18} color="var(--mantine-color-teal-6)" aria-hidden /> : <Loader size={18} aria-hidden />}
        <Text size="sm">{known ? words.fine : words.looking}</Text>
      </Group>
    </Card>
  );
}

function useConcerns({ outcomes }: Statistics): Together & { concerns: Concern[] } {
  const { standings, ...found } = useStandings();
  const [waiting, endpoints] = [useJournal(), useEndpoints()];
  const rest = together([waiting, endpoints]);
  const concerns = [...silenced(endpoints.data ?? []), ...concernsOf(outcomes, standings, waiting.data)];
  return {
    concerns: concerns.sort((a, b) => Number(b.grave) - Number(a.grave)),
    known: found.known && rest.known,
    error: found.error ?? rest.error,
    retry: () => [found, rest].forEach((one) => one.retry()),
  };
}

/** The webhook endpoints that were switched off for what they answered; one switched off by hand is as somebody wants it. */
function silenced(endpoints: Schemas["WebhookOut"][]): Concern[] {
  const off = endpoints.filter((one) => !one.active && one.disabledReason);
  return off.map((one) => ({ key: `off ${one._id}`, said: words.silenced(new URL(one.url).host, one.disabledReason), to: `/webhooks/${one._id}`, grave: true }));
}

function concernsOf(outcomes: Statistics["outcomes"], standings: Standing[], journal: ReturnType<typeof useJournal>["data"]): Concern[] {
  const found: Concern[] = [];
  for (const { integration, health } of standings) {
    const to = `/integrations/${integration._id}`;
    if (health?.state === "paused") found.push({ key: `paused ${integration._id}`, said: words.refused(integration.name), to, grave: true });
    if (health?.state === "open") found.push({ key: `open ${integration._id}`, said: words.away(integration.name), to, grave: true });
  }
  if (journal && journal.parked > 0) found.push({ key: "parked", said: words.parked(journal.parked), to: "/journal", grave: true });
  const oldest = Math.max(0, ...(journal?.lanes ?? []).filter((lane) => (lane.due ?? 0) > 0).map((lane) => lane.oldest ?? 0));
  if (oldest > LONG) found.push({ key: "old", said: words.old(spanOf(oldest)), to: "/journal", grave: false });
  for (const one of shares(outcomes, (each) => each.workflowId, "failed")) {
    if (one.share >= MANY && one.tried >= ENOUGH) {
      const to = `/workflows/${encodeURIComponent(one.name)}`;
      found.push({ key: `failing ${one.name}`, said: words.failing(one.name, percent(one.share)), to, grave: false });
    }
  }
  for (const one of shares(outcomes, (each) => each.integrationIdentifier, "deadTokens")) {
    if (one.share >= MANY && one.tried >= ENOUGH) found.push({ key: `dead ${one.name}`, said: words.dead(one.name, percent(one.share)), to: "/integrations", grave: false });
  }
  return found;
}
