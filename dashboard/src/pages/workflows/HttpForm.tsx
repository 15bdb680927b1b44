import { ActionIcon, Button, Checkbox, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { readObject } from "../../data/payload";
import { METHODS } from "../../data/steps";
import { ObjectInput } from "../../parts/Json";
import { TemplateInput } from "../../parts/TemplateInput";
import { workflowText } from "../../text/workflows";
import type { FormProps } from "./StepEditor";

const words = workflowText.http;

interface Header {
  key: string;
  value: string;
}

/** A request to a server of the customer's, and what its answer means. */
export function HttpForm({ controls, set, names, errors }: FormProps) {
  const said = (name: string) => (controls[name] === undefined ? "" : String(controls[name]));
  const [schema, setSchema] = useState(controls["responseBodySchema"] ? JSON.stringify(controls["responseBodySchema"], null, 2) : "");
  return (
    <Stack>
      <Group align="flex-start" wrap="nowrap">
        <NativeSelect label={words.method} data={[...METHODS]} value={said("method")} onChange={(e) => set("method", e.currentTarget.value)} />
        <TemplateInput
          label={words.url}
          placeholder="https://api.example.com/users/{{subscriber.subscriberId}}"
          value={said("url")}
          onChange={(v) => set("url", v)}
          names={names}
          error={errors["url"]}
          required
          style={{ flex: 1 }}
        />
      </Group>
      <Headers headers={(controls["headers"] as Header[] | undefined) ?? []} change={(headers) => set("headers", headers.length ? headers : undefined)} />
      {said("method") !== "GET" && (
        <TemplateInput label={words.body} value={said("body")} onChange={(v) => set("body", v)} names={names} error={errors["body"]} minRows={3} />
      )}
      <ObjectInput
        label={words.schema}
        value={schema}
        onChange={(v) => {
          setSchema(v);
          const read = readObject(v);
          if (read || v.trim() === "") set("responseBodySchema", read);
        }}
        error={errors["responseBodySchema"]}
      />
      <Checkbox
        label={words.enforce}
        checked={controls["enforceSchemaValidation"] === true}
        onChange={(e) => set("enforceSchemaValidation", e.currentTarget.checked || undefined)}
      />
      <Checkbox
        label={words.continues}
        checked={controls["continueOnFailure"] === true}
        onChange={(e) => set("continueOnFailure", e.currentTarget.checked || undefined)}
      />
    </Stack>
  );
}

function Headers({ headers, change }: { headers: Header[]; change: (headers: Header[]) => void }) {
  const put = (at: number, part: Partial<Header>) => change(headers.map((one, place) => (place === at ? { ...one, ...part } : one)));
  return (
    <Stack gap="xs">
      <Text size="sm" fw={500}>
        {words.headers}
      </Text>
      {headers.map((one, at) => (
        <Group key={at} gap="xs" wrap="nowrap">
          <TextInput aria-label={words.header} placeholder={words.header} value={one.key} onChange={(e) => put(at, { key: e.currentTarget.value })} />
          <TextInput aria-label={words.value} placeholder={words.value} value={one.value} onChange={(e) => put(at, { value: e.currentTarget.value })} style={{ flex: 1 }} />
          <ActionIcon variant="default" size={36} aria-label={words.removeHeader(one.key)} onClick={() => change(headers.filter((_, place) => place !== at))}>
            <IconX size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Button variant="subtle" size="compact-sm" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => change([...headers, { key: "", value: "" }])} style={{ alignSelf: "flex-start" }}>
        {words.addHeader}
      </Button>
    </Stack>
  );
}
