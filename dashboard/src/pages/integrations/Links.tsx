import { List, Stack, Tabs, Text, Title } from "@mantine/core";
import { EVENTS, LINK_LINES, linkForm, type Place } from "../../data/tracking";
import { text } from "../../text";
import { ToPaste } from "./ToPaste";

const words = text.integrations.links;
const PLACES = Object.keys(LINK_LINES) as Place[];

/** How an app without a backend reports what became of a push, by the signed link that came in it. */
export function Links() {
  return (
    <Stack>
      <Title order={2}>{words.title}</Title>
      <Text size="sm">{words.about}</Text>
      <ToPaste label={words.form} value={linkForm(location.origin)} />
      <List size="sm" spacing={4}>
        {EVENTS.map((event) => (
          <List.Item key={event}>
            <b>{event}</b>: {words.events[event]}
          </List.Item>
        ))}
      </List>
      <Text size="sm">{words.where}</Text>
      <Tabs defaultValue={PLACES[0] ?? null} variant="pills" keepMounted={false}>
        <Tabs.List mb="sm">
          {PLACES.map((place) => (
            <Tabs.Tab key={place} value={place}>
              {words.places[place]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {PLACES.map((place) => (
          <Tabs.Panel key={place} value={place}>
            <ToPaste label={words.places[place]} value={LINK_LINES[place]} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Stack>
  );
}
