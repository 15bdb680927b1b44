import { Button, Center, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { api, Refused, session, told } from "./client";
import { text } from "./text";

/** Sign in with an environment's key, proven by a call before it is kept. */
export function SignIn({ done }: { done: () => void }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    session.start(key.trim());
    try {
      await told(api.GET("/v1/environments"));
      done();
    } catch (reason) {
      session.end();
      const unknown = reason instanceof Refused && reason.status === 401;
      setError(unknown ? text.keyWrong : String(reason instanceof Error ? reason.message : reason));
      setBusy(false);
    }
  }

  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={400} radius="md">
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Title order={1} size="h3">
              {text.product}
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
