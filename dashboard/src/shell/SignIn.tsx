import { Button, Center, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { Refused } from "../data/client";
import { environmentOf } from "../data/environments";
import { session } from "../data/session";
import { text } from "../text";
import { Brand } from "./Brand";

/** Sign in with an environment's key, proven by a call before it is kept. */
export function SignIn({ done }: { done: () => void }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      const opened = await environmentOf(key.trim());
      session.use({ environmentId: opened._id, key: key.trim() });
      done();
    } catch (reason) {
      const unknown = reason instanceof Refused && reason.status === 401;
      setError(unknown ? text.keyWrong : String(reason instanceof Error ? reason.message : reason));
      setBusy(false);
    }
  }

  return (
    <Center mih="100dvh" p="md" component="main" bg="var(--clarion-surface)">
      <Paper withBorder p="xl" w="100%" maw={400} radius="lg" shadow="sm">
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Brand />
            <Title order={1} size="h3">
              {text.signIn}
            </Title>
            <PasswordInput
              label={text.keyLabel}
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              error={error}
              autoComplete="off"
              required
            />
            <Text size="sm" c="dimmed">
              {text.keyHelp}
            </Text>
            <Button type="submit" loading={busy}>
              {text.signIn}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
