import { Table, Text, Title } from "@mantine/core";
import { lastWord } from "../../data/health";
import { percent, shares, type Statistics } from "../../data/overview";
import { TextLink } from "../../parts/links";
import { Listing } from "../../parts/ListControls";
import { Failure, Waiting } from "../../parts/states";
import { Status } from "../../parts/Status";
import { text } from "../../text";
import { useJournal, useStandings } from "./data";

const words = text.overview;
const LANES = ["deliver", "bulk", "waiting"];

/** How each integration stands, and what waits for it. */
export function Health({ statistics }: { statistics: Statistics }) {
  const { standings, known, error, retry } = useStandings();
  const journal = useJournal().data;
  const dead = new Map(shares(statistics.outcomes, (one) => one.integrationIdentifier, "deadTokens").map((one) => [one.name, one.share]));
  const waiting = (id: string) =>
    (journal?.lanes ?? []).filter((lane) => LANES.some((kind) => lane.lane === `${kind}:${id}`)).reduce((all, lane) => all + lane.records, 0);
  if (known && standings.length === 0) return null;
  return (
    <section aria-labelledby="health">
      <Title order={2} mb="sm" id="health">
        {words.health}
      </Title>
      {error && <Failure error={error} retry={retry} />}
      {!error && standings.length === 0 && <Waiting />}
      {standings.length > 0 && (
        <Listing label={words.health} columns={[words.integration, words.state, words.deadTokens, words.waiting, words.lastWord]}>
          {standings.map(({ integration, health }) => (
            <Table.Tr key={integration._id}>
              <Table.Td>
                <TextLink to="/integrations/$integrationId" params={{ integrationId: integration._id }} fw={600} size="sm">
                  {integration.name}
                </TextLink>
              </Table.Td>
              <Table.Td>{health && <Status status={health.state} label={text.integrations.states[health.state] ?? health.state} />}</Table.Td>
              <Table.Td>
                <Text size="sm">{percent(dead.get(integration.identifier) ?? 0)}</Text>
              </Table.Td>
              <Table.Td>
                <Text size="sm">{waiting(integration._id).toLocaleString()}</Text>
              </Table.Td>
              <Table.Td>
                <Text size="sm" lineClamp={2}>
                  {health ? lastWord(health, Date.now()) : words.unknown}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Listing>
      )}
    </section>
  );
}
