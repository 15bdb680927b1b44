import { Alert, Badge, Card, Code, Group, Modal, Stack, Text, Textarea, Timeline, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { refusalInWords } from "../../data/health";
import { spanOf } from "../../data/moments";
import { Button, Switch } from "../../parts/acts";
import { BackLink } from "../../parts/BackLink";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { TextLink } from "../../parts/links";
import { ChangeFailure, Empty, Heading, Loaded } from "../../parts/states";
import { Status, toneOf } from "../../parts/Status";
import { Tabbed } from "../../parts/Tabbed";
import { TestSend } from "../../parts/TestSend";
import { When } from "../../parts/When";
import { text } from "../../text";
import { CredentialsForm, type Given } from "./CredentialsForm";
import { useHealth } from "./List";
import { Subscribe } from "./Subscribe";
import { Tracking } from "./Tracking";

const words = text.integrations;
export type Integration = Schemas["IntegrationOut"];

export function IntegrationDetail() {
  const { integrationId } = useParams({ strict: false }) as { integrationId: string };
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) });
  return (
    <Loaded query={integrations}>
      {(found) => {
        const one = found.find((each) => each._id === integrationId);
        return one ? <Shown one={one} /> : <Empty title={words.notFound} help={text.crash.missingHelp} />;
      }}
    </Loaded>
  );
}

function Shown({ one }: { one: Integration }) {
  const [asking, setAsking] = useState<"test" | "remove" | null>(null);
  const navigate = useNavigate();
  const close = () => setAsking(null);
  const path = { integrationId: one._id };
  const turn = useChange((active: boolean) => told(api.PUT("/v1/integrations/{integrationId}", { params: { path }, body: { active } })), {
    stale: ["integrations", "health"],
  });
  const remove = useChange(() => told(api.DELETE("/v1/integrations/{integrationId}", { params: { path } })), {
    stale: ["integrations"],
    said: words.removed,
    then: () => void navigate({ to: "/integrations" }),
  });
  const own = one.providerId === "sandbox";
  return (
    <>
      <Heading title={one.name} above={<BackLink to="/integrations" label={words.back} />}>
        <Switch needs="admin" label={words.active} checked={one.active} onChange={(e) => turn.mutate(e.currentTarget.checked)} />
        <Button needs="editor" variant="default" onClick={() => setAsking("test")}>
          {words.testSend}
        </Button>
        <Button needs="admin" variant="subtle" color="red" onClick={() => setAsking("remove")}>
          {text.remove}
        </Button>
      </Heading>
      <Stack>
        <Group gap="xs">
          <Badge color="gray">{one.providerId}</Badge>
          <Identifier value={one.identifier} />
        </Group>
        {turn.error && <ChangeFailure error={turn.error} />}
        <Tabbed
          tabs={[
            { value: "health", label: words.health, show: () => <Health one={one} /> },
            ...(own ? [] : [{ value: "settings", label: words.settings, show: () => <Edit one={one} /> }]),
            { value: "tracking", label: words.tracking, show: () => <Tracking one={one} /> },
            ...(one.providerId === "web-push" ? [{ value: "subscribe", label: words.subscribe, show: () => <Subscribe one={one} /> }] : []),
          ]}
        />
      </Stack>
      <Modal opened={asking === "test"} onClose={close} title={words.testSend} size="lg" closeButtonProps={{ "aria-label": text.close }}>
        <TestToken one={one} />
      </Modal>
      <Confirm opened={asking === "remove"} close={close} title={words.removing(one.name)} loses={words.loses} action={text.remove} change={remove} />
    </>
  );
}

function Health({ one }: { one: Integration }) {
  const health = useHealth(one._id);
  const resume = useChange(() => told(api.POST("/v1/integrations/{integrationId}/resume", { params: { path: { integrationId: one._id } } })), {
    stale: ["health", "integrations"],
    said: words.resumed,
  });
  return (
    <Loaded query={health}>
      {(found) => (
        <Card maw={760}>
          <Stack>
            <Group gap="xs">
              {one.active ? <Status status={found.state} label={words.states[found.state] ?? found.state} /> : <Badge color="gray">{words.inactive}</Badge>}
              {!found.proven && <Badge color="gray">{words.unproven}</Badge>}
              {found.since && (
                <Text size="sm" c="dimmed">
                  {words.since} {spanOf(Date.now() - Date.parse(found.since))}
                </Text>
              )}
            </Group>
            {found.explanation && (
              <Text size="sm">
                {found.code && <Code>{found.code}</Code>} {found.explanation}
              </Text>
            )}
            <Text size="sm">{found.advice}</Text>
            {found.state === "paused" && (
              <Button needs="editor" onClick={() => resume.mutate()} loading={resume.isPending} style={{ alignSelf: "flex-start" }}>
                {words.resume}
              </Button>
            )}
            {resume.error && <ChangeFailure error={resume.error} />}
            <Title order={2}>{words.lastRefusal}</Title>
            <LastRefusal refusal={found.lastRefusal} />
            <Title order={2}>{words.changes}</Title>
            {found.changes.length === 0 ? (
              <Text size="sm" c="dimmed">
                {words.noChanges}
              </Text>
            ) : (
              <Timeline bulletSize={12} lineWidth={2} active={found.changes.length}>
                {found.changes.map((change) => (
                  <Timeline.Item key={change.at} color={toneOf(change.state)} title={words.states[change.state] ?? change.state}>
                    <Text size="sm">
                      {change.code} {change.explanation}
                    </Text>
                    <Text size="xs" c="dimmed" component="div">
                      <When at={change.at} />
                    </Text>
                  </Timeline.Item>
                ))}
              </Timeline>
            )}
          </Stack>
        </Card>
      )}
    </Loaded>
  );
}

/** What the provider answered last that was no yes, in words, with the way out. */
function LastRefusal({ refusal }: { refusal: Schemas["RefusalOut"] | null | undefined }) {
  if (!refusal) {
    return (
      <Text size="sm" c="dimmed">
        {words.noRefusal}
      </Text>
    );
  }
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Status status={refusal.outcome} />
        <Text size="sm" c="dimmed" component="div">
          <When at={refusal.at} /> ·{" "}
          <TextLink to="/activity/$notificationId" params={{ notificationId: refusal.notificationId }} size="sm">
            {words.itsNotification}
          </TextLink>
        </Text>
      </Group>
      <Text size="sm">{words.ago(spanOf(Math.max(0, Date.now() - Date.parse(refusal.at))), refusalInWords(refusal))}</Text>
      {refusal.explanation && text.activity.remedies[refusal.outcome] && <Text size="sm">{text.activity.remedies[refusal.outcome]}</Text>}
    </Stack>
  );
}

function Edit({ one }: { one: Integration }) {
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), staleTime: Infinity });
  const save = useChange(
    (given: Given) => told(api.PUT("/v1/integrations/{integrationId}", { params: { path: { integrationId: one._id } }, body: given })),
    { stale: ["integrations", "health"], said: text.saved },
  );
  return (
    <Loaded query={providers}>
      {(found) => {
        const provider = found.find((each) => each.id === one.providerId);
        return (
          provider && (
            <Card maw={680}>
              <CredentialsForm
                provider={provider}
                first={{ name: one.name, identifier: one.identifier, credentials: one.credentials }}
                change={save}
                action={text.save}
                note={words.keepSecrets}
                guarded
              />
            </Card>
          )
        );
      }}
    </Loaded>
  );
}

function TestToken({ one }: { one: Integration }) {
  const [token, setToken] = useState("");
  return (
    <Stack>
      {!one.active && <Alert color="yellow">{words.inactive}</Alert>}
      <TestSend
        ready={token.trim() !== ""}
        send={(said) =>
          told(api.POST("/v1/integrations/{integrationId}/test", { params: { path: { integrationId: one._id } }, body: { token: token.trim(), ...said } }))
        }
      >
        <Textarea label={words.token} value={token} onChange={(e) => setToken(e.currentTarget.value)} autosize maxRows={5} data-autofocus />
      </TestSend>
    </Stack>
  );
}
