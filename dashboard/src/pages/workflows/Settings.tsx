import { Card, Select, Stack, Switch, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { readObject } from "../../data/payload";
import { ObjectInput } from "../../parts/Json";
import { workflowText } from "../../text/workflows";
import type { Editing } from "./draft";

const words = workflowText.settings;
const choices = (named: Record<string, string>) => Object.entries(named).map(([value, label]) => ({ value, label }));

export function Settings({ editing: { draft, change } }: { editing: Editing }) {
  const [schema, setSchema] = useState(draft.payloadSchema ? JSON.stringify(draft.payloadSchema, null, 2) : "");
  function setWritten(written: string) {
    setSchema(written);
    const read = readObject(written);
    if (read || written.trim() === "") change({ payloadSchema: read });
  }
  return (
    <Card maw={680}>
      <Stack>
        <TextInput label={workflowText.name} value={draft.name} onChange={(e) => change({ name: e.currentTarget.value })} required />
        <Textarea label={words.description} value={draft.description} onChange={(e) => change({ description: e.currentTarget.value })} autosize minRows={2} />
        <TagsInput label={workflowText.tags} value={draft.tags} onChange={(tags) => change({ tags })} maxTags={16} />
        <Select
          label={words.severity}
          data={choices(words.severities)}
          value={draft.severity}
          onChange={(severity) => change({ severity: severity ?? "none" })}
          allowDeselect={false}
        />
        <Select
          label={words.outside}
          data={choices(words.outsides)}
          value={draft.outsideSchedule}
          onChange={(outside) => change({ outsideSchedule: outside ?? "defer" })}
          allowDeselect={false}
        />
        <Switch
          label={words.translated}
          description={words.translatedHelp}
          checked={draft.isTranslationEnabled}
          onChange={(e) => change({ isTranslationEnabled: e.currentTarget.checked })}
        />
        <ObjectInput label={words.schema} description={words.schemaHelp} value={schema} onChange={setWritten} />
        <Switch label={words.validate} checked={draft.validatePayload} onChange={(e) => change({ validatePayload: e.currentTarget.checked })} />
      </Stack>
    </Card>
  );
}
