import { Card, Grid, Group, Stack, Text, Title, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { againOf, failedDevices } from "../../data/again";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { beat } from "../../data/live";
import { Button } from "../../parts/acts";
import { BackLink } from "../../parts/BackLink";
import { Identifier } from "../../parts/Copy";
import { Recipient } from "../../parts/Explained";
import { Written } from "../../parts/Json";
import { TextLink } from "../../parts/links";
import { ChangeFailure, Heading, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.activity;
type Shown = Schemas["NotificationOut"];

/** One notification: everything that was decided, every device, every try, and the way out. */
export function Notification() {
  const { notificationId } = useParams({ strict: false }) as { notificationId: string };
  const notification = useQuery({
    queryKey: ["notification", notificationId],
    queryFn: () => told(api.GET("/v1/notifications/{notificationId}", { params: { path: { notificationId } } })),
  });
  return <Loaded query={notification}>{(found) => <Told one={found} />}</Loaded>;
}

function Told({ one }: { one: Shown }) {
  const subscriberId = String(one.subscriber["subscriberId"] ?? "");
  const trigger = (one.template?.["triggers"] as { identifier: string }[] | undefined)?.[0];
  const explained = useQuery({
    queryKey: ["explain", one.transactionId, subscriberId],
    queryFn: () => told(api.GET("/v1/explain", { params: { query: { transactionId: one.transactionId, subscriberId } } })),
    refetchInterval: () => beat(2000),
  });
  const devices = useQuery({
    queryKey: ["devices", subscriberId],
    queryFn: () => told(api.GET("/v1/subscribers/{subscriberId}/devices", { params: { path: { subscriberId } } })),
    refetchInterval: () => beat(5000),
  });
  const recipient = explained.data?.recipients.find((who) => who.notificationId === one._id) ?? explained.data?.recipients[0];
  return (
    <>
      <Heading title={String(one.template?.["name"] ?? words.unknownWorkflow)} above={<BackLink to="/activity" label={words.title} />}>
        {trigger && <Again one={one} workflowId={trigger.identifier} failed={recipient ? failedDevices(recipient, devices.data ?? []) : []} />}
      </Heading>
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Loaded query={explained}>
            {() => (recipient ? <Recipient recipient={recipient} /> : <Text c="dimmed">{words.notExplained}</Text>)}
          </Loaded>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Facts one={one} subscriberId={subscriberId} workflowId={trigger?.identifier} />
        </Grid.Col>
      </Grid>
    </>
  );
}

function Facts({ one, subscriberId, workflowId }: { one: Shown; subscriberId: string; workflowId: string | undefined }) {
  return (
    <Card>
      <Stack gap="sm">
        <Fact name={words.when}>
          <When at={one.createdAt} />
        </Fact>
        <Fact name={words.subscriber}>
          <TextLink to="/subscribers/$subscriberId" params={{ subscriberId }} size="sm">
            {subscriberId}
          </TextLink>
        </Fact>
        {workflowId && (
          <Fact name={words.workflow}>
            <TextLink to="/workflows/$workflowId" params={{ workflowId }} size="sm">
              {workflowId}
            </TextLink>
          </Fact>
        )}
        <Fact name={words.transaction}>
          <Identifier value={one.transactionId} />
        </Fact>
        {one.contextKeys.length > 0 && <Fact name={text.nav.contexts}>{one.contextKeys.join(", ")}</Fact>}
        <Title order={2}>{words.payload}</Title>
        <Written value={one.payload} label={words.payload} />
      </Stack>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text size="sm" component="div" style={{ overflow: "hidden" }}>
        {children}
      </Text>
    </div>
  );
}

function Again({ one, workflowId, failed }: { one: Shown; workflowId: string; failed: string[] }) {
  const navigate = useNavigate();
  const again = useChange((devices: string[] | undefined) => told(api.POST("/v1/events/trigger", { body: againOf(one, workflowId, devices) })), {
    stale: ["activity"],
    said: words.triggered,
    then: (came) => void navigate({ to: "/activity", search: { search: came.transactionId } }),
  });
  return (
    <Group>
      {again.error && <ChangeFailure error={again.error} />}
      {failed.length > 0 && (
        <Tooltip label={words.againFailedHelp(failed)} multiline maw={280}>
          <Button needs="editor" leftSection={<IconRefresh size={16} aria-hidden />} loading={again.isPending} onClick={() => again.mutate(failed)}>
            {words.againFailed}
          </Button>
        </Tooltip>
      )}
      <Tooltip label={words.againHelp} multiline maw={280}>
        <Button needs="editor" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={again.isPending} onClick={() => again.mutate(undefined)}>
          {words.again}
        </Button>
      </Tooltip>
    </Group>
  );
}
