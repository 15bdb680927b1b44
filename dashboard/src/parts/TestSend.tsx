/** One push tried on purpose: what is said, the exact request, the answer, and what it means. */
import { Alert, Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";
import { useChange } from "../data/change";
import type { Schemas } from "../data/client";
import { text } from "../text";
import { Written } from "./Json";
import { ChangeFailure } from "./states";
import { Status } from "./Status";

const words = text.integrations;

interface Said {
  title: string;
  body: string;
}

interface TestSendProps {
  send: (said: Said) => Promise<Schemas["TrialOut"]>;
  ready?: boolean;
  children?: ReactNode;
}

/** `children` are the fields that say where to; `ready` that they do. */
export function TestSend({ send, ready = true, children }: TestSendProps) {
  const [title, setTitle] = useState<string>(words.sample.title);
  const [body, setBody] = useState<string>(words.sample.body);
  const test = useChange(() => send({ title, body }));
  function submit(event: FormEvent) {
    event.preventDefault();
    test.mutate();
  }
  return (
    <Stack>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" c="dimmed">
            {words.testAbout}
          </Text>
          {children}
          <TextInput label={words.pushTitle} value={title} onChange={(e) => setTitle(e.currentTarget.value)} />
          <Textarea label={words.pushBody} value={body} onChange={(e) => setBody(e.currentTarget.value)} autosize />
          <Button type="submit" disabled={!ready} loading={test.isPending}>
            {words.send}
          </Button>
        </Stack>
      </form>
      {test.error && <ChangeFailure error={test.error} />}
      {test.data && <Came found={test.data} />}
    </Stack>
  );
}

function Came({ found }: { found: Schemas["TrialOut"] }) {
  return (
    <Stack gap="xs" role="status">
      <Group gap="xs">
        <Status status={found.outcome} />
        {found.code !== found.outcome && <Text size="sm">{found.code}</Text>}
      </Group>
      <Text size="sm">{found.explanation}</Text>
      <Alert color="blue" p="xs">
        {found.advice}
      </Alert>
      {found.request && <Exchange title={words.request} first={`${found.request.method} ${found.request.url}`} part={found.request} />}
      {found.reply && <Exchange title={words.reply} first={String(found.reply.status)} part={found.reply} />}
    </Stack>
  );
}

function Exchange({ title, first, part }: { title: string; first: string; part: { headers: Record<string, string>; body: string } }) {
  const headers = Object.entries(part.headers).map(([name, value]) => `${name}: ${value}`);
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <Written label={title} value={[first, ...headers, "", pretty(part.body)].join("\n")} />
    </div>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
