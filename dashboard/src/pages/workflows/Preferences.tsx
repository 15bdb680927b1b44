import { Card, Stack, Switch, Text } from "@mantine/core";
import { workflowText } from "../../text/workflows";
import type { Editing } from "./draft";

const words = workflowText.preferences;

/** What holds where a subscriber chose nothing, and whether they may choose. */
export function Preferences({ editing: { draft, change } }: { editing: Editing }) {
  const { all, channels } = draft.preferences;
  const set = (part: Partial<typeof all>) => change({ preferences: { all: { ...all, ...part }, channels } });
  const push = channels.push?.enabled ?? true;
  return (
    <Card maw={560}>
      <Stack>
        <Text c="dimmed" size="sm">
          {words.about}
        </Text>
        <Switch
          label={words.enabled}
          description={words.enabledHelp}
          checked={all.enabled ?? true}
          onChange={(e) => set({ enabled: e.currentTarget.checked })}
        />
        <Switch
          label={words.push}
          checked={push}
          onChange={(e) => change({ preferences: { all, channels: { ...channels, push: { enabled: e.currentTarget.checked } } } })}
        />
        <Switch
          label={words.critical}
          description={words.criticalHelp}
          checked={all.readOnly ?? false}
          onChange={(e) => set({ readOnly: e.currentTarget.checked })}
        />
      </Stack>
    </Card>
  );
}
