import { Anchor, Badge, Card, Group, Modal, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { useEnvironment } from "../../data/environments";
import { beat } from "../../data/live";
import { Button } from "../../parts/acts";
import { Identifier } from "../../parts/Copy";
import { TextLink } from "../../parts/links";
import { Empty, Heading, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { text } from "../../text";
import { CredentialsForm } from "./CredentialsForm";

const words = text.integrations;
type Provider = Schemas["ProviderOut"];
type Integration = Schemas["IntegrationOut"];

export function useHealth(integrationId: string) {
  return useQuery({
    queryKey: ["health", integrationId],
    queryFn: () => told(api.GET("/v1/integrations/{integrationId}/health", { params: { path: { integrationId } } })),
    refetchInterval: () => beat(5000),
  });
}

/** The integration store: what is connected and how it stands, and what could be. */
export function Integrations() {
  const environment = useEnvironment();
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) });
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), staleTime: Infinity });
  const [chosen, setChosen] = useState<Provider | null>(null);
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Stack gap="xl">
        <section aria-labelledby="connected">
          <Title order={2} mb="sm" id="connected">
            {words.connected}
          </Title>
          <Loaded query={integrations}>
            {(found) => {
              const own = found.filter((one) => one._environmentId === environment?._id);
              return own.length === 0 ? (
                <Empty icon={IconPlugConnected} title={words.empty} help={words.emptyHelp} />
              ) : (
                <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
                  {own.map((one) => (
                    <Connected key={one._id} one={one} provider={providers.data?.find((each) => each.id === one.providerId)} />
                  ))}
                </SimpleGrid>
              );
            }}
          </Loaded>
        </section>
        <section aria-labelledby="available">
          <Title order={2} mb="sm" id="available">
            {words.available}
          </Title>
          <Loaded query={providers}>
            {(found) => (
              <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
                {found
                  .filter((one) => one.supported && one.id !== "sandbox")
                  .map((one) => (
                    <ProviderCard key={one.id} one={one} choose={() => setChosen(one)} />
                  ))}
              </SimpleGrid>
            )}
          </Loaded>
        </section>
      </Stack>
      <Modal
        opened={chosen !== null}
        onClose={() => setChosen(null)}
        title={chosen && words.connectTo(chosen.name)}
        size="lg"
        closeButtonProps={{ "aria-label": text.close }}
      >
        {chosen && <Connect provider={chosen} />}
      </Modal>
    </>
  );
}

function Connected({ one, provider }: { one: Integration; provider: Provider | undefined }) {
  const health = useHealth(one._id).data;
  const state = health?.state ?? "";
  return (
    <Card component="section" aria-label={one.name}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <TextLink to="/integrations/$integrationId" params={{ integrationId: one._id }} fw={600}>
            {one.name}
          </TextLink>
          {one.active ? state && <Status status={state} label={words.states[state] ?? state} /> : <Badge color="gray">{words.inactive}</Badge>}
        </Group>
        <Text size="sm" c="dimmed">
          {provider?.name ?? one.providerId}
          {health && !health.proven && ` · ${words.unproven}`}
        </Text>
        <Identifier value={one.identifier} />
        {state !== "" && state !== "closed" && (
          <Text size="sm">
            {health?.explanation} {health?.advice}
          </Text>
        )}
      </Stack>
    </Card>
  );
}

function ProviderCard({ one, choose }: { one: Provider; choose: () => void }) {
  const { retiresTokens, receipts, messagesPerRequest, ratePerSecond } = one.capabilities;
  return (
    <Card component="section" aria-label={one.name}>
      <Stack gap="xs" h="100%">
        <Text fw={600}>{one.name}</Text>
        <Text size="sm" c="dimmed" style={{ flex: 1 }}>
          {words.addressedBy} {one.addressedBy}.
        </Text>
        <Group gap={4}>
          {retiresTokens && <Badge color="gray">{words.retires}</Badge>}
          {receipts && <Badge color="gray">{words.receipts}</Badge>}
          {messagesPerRequest > 1 && <Badge color="gray">{words.batch(messagesPerRequest)}</Badge>}
          {ratePerSecond && <Badge color="gray">{words.rate(ratePerSecond)}</Badge>}
        </Group>
        <Group justify="space-between">
          {one.docs ? (
            <Anchor href={one.docs} target="_blank" rel="noreferrer" size="sm" underline="always">
              {words.docs}
            </Anchor>
          ) : (
            <span />
          )}
          <Button needs="admin" size="compact-sm" variant="light" aria-label={words.connectTo(one.name)} onClick={choose}>
            {words.connect}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function Connect({ provider }: { provider: Provider }) {
  const navigate = useNavigate();
  const connect = useChange(
    (given: { name: string; identifier: string; credentials: Record<string, unknown> }) =>
      told(
        api.POST("/v1/integrations", {
          body: { providerId: provider.id, channel: "push", active: true, ...given, identifier: given.identifier || null },
        }),
      ),
    {
      stale: ["integrations"],
      said: words.connectedNow,
      then: (made) => void navigate({ to: "/integrations/$integrationId", params: { integrationId: made._id } }),
    },
  );
  return <CredentialsForm provider={provider} first={{ name: provider.name, identifier: "", credentials: {} }} change={connect} action={words.connect} />;
}
