import {
  Anchor, Badge, Button, Card, Checkbox, Code, CopyButton, Group, Modal, NativeSelect, PasswordInput, SimpleGrid, Stack, Text,
  Textarea, TextInput, Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, Refused, told, type Schemas } from "../data/client";
import { Empty, Failure, Heading, Loaded } from "../parts/states";
import { text } from "../text";

const words = text.integrations;
type Provider = Schemas["ProviderOut"];
type Field = Schemas["FieldOut"];
type Integration = Schemas["IntegrationOut"];

/** The integration store: what is connected and how it stands, and what could be. */
export function Integrations() {
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) });
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), staleTime: Infinity });
  const environments = useQuery({ queryKey: ["environments"], queryFn: () => told(api.GET("/v1/environments")) });
  const [chosen, setChosen] = useState<Provider | null>(null);
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Stack gap="xl">
        <Loaded query={integrations}>
          {(found) =>
            found.length === 0 ? (
              <Empty title={words.empty} help={words.emptyHelp} />
            ) : (
              <section aria-label={words.connected}>
                <Title order={2} size="h4" mb="sm">
                  {words.connected}
                </Title>
                <SimpleGrid cols={{ base: 1, md: 2 }}>
                  {found.map((one) => (
                    <Connected key={one._id} one={one} environment={environments.data?.find((e) => e._id === one._environmentId)?.name} />
                  ))}
                </SimpleGrid>
              </section>
            )
          }
        </Loaded>
        <section aria-label={words.available}>
          <Title order={2} size="h4" mb="sm">
            {words.available}
          </Title>
          <Loaded query={providers}>
            {(found) => (
              <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
                {found
                  .filter((one) => one.supported && one.id !== "sandbox")
                  .map((one) => (
                    <Card key={one.id} withBorder>
                      <Stack gap="xs" justify="space-between" h="100%">
                        <Text fw={600}>{one.name}</Text>
                        <Text size="sm" c="dimmed">
                          {one.addressedBy}
                        </Text>
                        <Group justify="space-between">
                          {one.docs ? (
                            <Anchor href={one.docs} target="_blank" rel="noreferrer" size="sm" underline="always">
                              {words.docs}
                            </Anchor>
                          ) : (
                            <span />
                          )}
                          <Button size="compact-sm" variant="light" aria-label={`${words.connect} ${one.name}`} onClick={() => setChosen(one)}>
                            {words.connect}
                          </Button>
                        </Group>
                      </Stack>
                    </Card>
                  ))}
              </SimpleGrid>
            )}
          </Loaded>
        </section>
      </Stack>
      <Modal opened={chosen !== null} onClose={() => setChosen(null)} title={chosen?.name} size="lg" closeButtonProps={{ "aria-label": text.cancel }}>
        {chosen && <Connect provider={chosen} done={() => setChosen(null)} />}
      </Modal>
    </>
  );
}

function Connect({ provider, done }: { provider: Provider; done: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState(provider.name);
  const [given, setGiven] = useState<Record<string, string | boolean>>({});
  const connect = useMutation({
    mutationFn: () => {
      const credentials = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
      return told(api.POST("/v1/integrations", { body: { providerId: provider.id, channel: "push", name, active: true, credentials } }));
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["integrations"] });
      done();
    },
  });
  const fields = connect.error instanceof Refused ? connect.error.fields : {};
  function submit(event: FormEvent) {
    event.preventDefault();
    connect.mutate();
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={words.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fields.name} />
        {provider.fields.map((field) => (
          <Credential
            key={field.key}
            field={field}
            error={fields[field.key]}
            value={given[field.key]}
            change={(value) => setGiven({ ...given, [field.key]: value })}
          />
        ))}
        {connect.error && <Failure error={connect.error} />}
        <Button type="submit" loading={connect.isPending}>
          {words.connect}
        </Button>
      </Stack>
    </form>
  );
}

interface CredentialProps {
  field: Field;
  value: string | boolean | undefined;
  error: string | undefined;
  change: (value: string | boolean) => void;
}

function Credential({ field, value, error, change }: CredentialProps) {
  const common = { label: field.label, description: field.help, error, required: field.required };
  const typed = { ...common, value: typeof value === "string" ? value : "", placeholder: field.example };
  if (field.kind === "boolean") {
    const { required: _, ...rest } = common;
    return <Checkbox {...rest} checked={value === true} onChange={(e) => change(e.currentTarget.checked)} />;
  }
  if (field.kind === "choice") {
    return <NativeSelect {...typed} data={["", ...(field.choices ?? [])]} onChange={(e) => change(e.currentTarget.value)} />;
  }
  if (field.kind === "file") {
    return <Textarea {...typed} placeholder={words.pasteFile} minRows={3} autosize maxRows={8} onChange={(e) => change(e.currentTarget.value)} />;
  }
  if (field.kind === "secret") return <PasswordInput {...typed} autoComplete="off" onChange={(e) => change(e.currentTarget.value)} />;
  return <TextInput {...typed} onChange={(e) => change(e.currentTarget.value)} />;
}

function Connected({ one, environment }: { one: Integration; environment: string | undefined }) {
  const queries = useQueryClient();
  const path = { integrationId: one._id };
  const health = useQuery({
    queryKey: ["health", one._id],
    queryFn: () => told(api.GET("/v1/integrations/{integrationId}/health", { params: { path } })),
    refetchInterval: 5000,
  });
  const turn = useMutation({
    mutationFn: () => told(api.PUT("/v1/integrations/{integrationId}", { params: { path }, body: { active: !one.active } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["integrations"] }),
  });
  const [testing, setTesting] = useState(false);
  const state = health.data?.state ?? "";
  return (
    <Card withBorder>
      <Stack gap="xs">
        <Group justify="space-between">
          <Text fw={600}>{one.name}</Text>
          <Badge variant="light" color={one.active ? "teal" : "gray"}>
            {one.active ? words.active : words.inactive}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          {[one.providerId, environment, words.states[state]].filter(Boolean).join(" · ")}
        </Text>
        {state !== "" && state !== "closed" && <Text size="sm">{health.data?.explanation} {health.data?.advice}</Text>}
        <Group gap="xs">
          <Code>{one.identifier}</Code>
          <CopyButton value={one.identifier}>
            {({ copied, copy }) => (
              <Button size="compact-xs" variant="default" onClick={copy}>
                {copied ? text.copied : text.copy}
              </Button>
            )}
          </CopyButton>
        </Group>
        {turn.error && <Failure error={turn.error} />}
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => setTesting(true)}>
            {words.testSend}
          </Button>
          <Button size="compact-sm" variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>
            {one.active ? words.turnOff : words.turnOn}
          </Button>
        </Group>
      </Stack>
      <Modal opened={testing} onClose={() => setTesting(false)} title={words.testSend} size="lg" closeButtonProps={{ "aria-label": text.cancel }}>
        <TestSend integrationId={one._id} />
      </Modal>
    </Card>
  );
}

function TestSend({ integrationId }: { integrationId: string }) {
  const [token, setToken] = useState("");
  const test = useMutation({
    mutationFn: () => told(api.POST("/v1/integrations/{integrationId}/test", { params: { path: { integrationId } }, body: { token } })),
  });
  const found = test.data;
  return (
    <Stack>
      <TextInput label={words.token} value={token} onChange={(e) => setToken(e.currentTarget.value)} />
      <Button disabled={!token} loading={test.isPending} onClick={() => test.mutate()}>
        {words.send}
      </Button>
      {test.error && <Failure error={test.error} />}
      {found && (
        <Stack gap="xs" role="status">
          <Badge color={found.outcome === "accepted" ? "teal" : "red"} variant="light">
            {found.outcome} {found.code}
          </Badge>
          <Text size="sm">{found.explanation} {found.advice}</Text>
          {found.request && <Code block>{`${found.request.method} ${found.request.url}\n\n${found.request.body}`}</Code>}
          {found.reply && <Code block>{`${found.reply.status}\n\n${found.reply.body}`}</Code>}
        </Stack>
      )}
    </Stack>
  );
}
