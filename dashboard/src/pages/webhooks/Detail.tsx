import { Alert, Card, Group, Modal, NativeSelect, Stack, Table, Text, Timeline, Title, UnstyledButton } from "@mantine/core";
import { IconSend, IconWebhook } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, done, told, whole, type Schemas } from "../../data/client";
import { instantOf, localOf } from "../../data/moments";
import { say } from "../../data/say";
import { useCursor } from "../../data/paging";
import { Button } from "../../parts/acts";
import { BackLink } from "../../parts/BackLink";
import { ChangeForm } from "../../parts/ChangeForm";
import { Confirm } from "../../parts/Confirm";
import { Written } from "../../parts/Json";
import { Filters, Listing } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { ChangeFailure, Empty, Heading, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { Tabbed } from "../../parts/Tabbed";
import { TimeRange } from "../../parts/TimeRange";
import { When } from "../../parts/When";
import { text } from "../../text";
import { EndpointForm, type Endpoint } from "./EndpointForm";
import { Secret } from "./List";

const words = text.webhooks;
const WEEK = 7 * 86_400_000;
const REPLAYED = ["failed", "delivered", "all"] as const;
type Webhook = Schemas["WebhookOut"];
type Delivery = Schemas["DeliveryOut"];

export function WebhookDetail() {
  const { webhookId } = useParams({ strict: false }) as { webhookId: string };
  const endpoint = useQuery({
    queryKey: ["webhook", webhookId],
    queryFn: () => told(api.GET("/v1/webhooks/{webhookId}", { params: { path: { webhookId } } })),
  });
  return <Loaded query={endpoint}>{(found) => <Shown key={found._id} one={found} />}</Loaded>;
}

function Shown({ one }: { one: Webhook }) {
  const [asking, setAsking] = useState<"rotate" | "remove" | null>(null);
  const navigate = useNavigate();
  const close = () => setAsking(null);
  const params = { path: { webhookId: one._id } };
  const ping = useChange(() => told(api.POST("/v1/webhooks/{webhookId}/ping", { params })), { stale: ["deliveries"] });
  const rotate = useChange(() => told(api.POST("/v1/webhooks/{webhookId}/rotate-secret", { params, body: { overlapHours: 24 } })), { stale: ["webhook"] });
  const remove = useChange(() => done(api.DELETE("/v1/webhooks/{webhookId}", { params })), {
    stale: ["webhooks"],
    said: words.removed,
    then: () => void navigate({ to: "/webhooks" }),
  });
  const save = useChange((body: Endpoint) => told(api.PUT("/v1/webhooks/{webhookId}", { params, body })), { stale: ["webhook", "webhooks"], said: text.saved });
  return (
    <>
      <Heading title={new URL(one.url).host} about={one.url} above={<BackLink to="/webhooks" label={words.back} />}>
        <Button needs="editor" leftSection={<IconSend size={16} aria-hidden />} loading={ping.isPending} onClick={() => ping.mutate()}>
          {words.ping}
        </Button>
        <Button needs="admin" variant="default" onClick={() => setAsking("rotate")}>
          {words.rotate}
        </Button>
        <Button needs="admin" variant="subtle" color="red" onClick={() => setAsking("remove")}>
          {text.remove}
        </Button>
      </Heading>
      <Stack>
        {one.disabledReason && <Alert color="red">{words.off[one.disabledReason] ?? one.disabledReason}</Alert>}
        {ping.error && <ChangeFailure error={ping.error} />}
        {rotate.data && <Secret secret={rotate.data.secret} />}
        <Tabbed
          tabs={[
            { value: "deliveries", label: words.tabs.deliveries, show: () => <Deliveries webhookId={one._id} /> },
            {
              value: "settings",
              label: words.tabs.settings,
              show: () => (
                <Card maw={680}>
                  <EndpointForm first={one} change={save} action={text.save} />
                </Card>
              ),
            },
          ]}
        />
      </Stack>
      <Confirm opened={asking === "rotate"} close={close} title={words.rotating} loses={words.rotateLoses} action={words.rotate} change={rotate} />
      <Confirm opened={asking === "remove"} close={close} title={words.removing(one.url)} loses={words.loses} action={text.remove} change={remove} />
    </>
  );
}

function Deliveries({ webhookId }: { webhookId: string }) {
  const [status, setStatus] = useState("");
  const [type, setType] = useState("");
  const [replaying, setReplaying] = useState(false);
  const [shown, setShown] = useState<Delivery | null>(null);
  const params = { path: { webhookId } };
  const { page, newer, older } = useCursor(
    ["deliveries", webhookId, status, type],
    (place) => {
      const query = { limit: 25, ...place, ...(status && { status: status as Delivery["status"] }), ...(type && { type }) };
      return whole(api.GET("/v1/webhooks/{webhookId}/deliveries", { params: { ...params, query } }));
    },
    4000,
  );
  return (
    <Stack>
      <Filters>
        <NativeSelect
          label={words.status}
          data={Object.entries(words.statuses).map(([value, label]) => ({ value, label }))}
          value={status}
          onChange={(e) => setStatus(e.currentTarget.value)}
        />
        <NativeSelect
          label={words.type}
          data={[{ value: "", label: words.anyEvent }, ...Object.keys(words.catalogue)]}
          value={type}
          onChange={(e) => setType(e.currentTarget.value)}
        />
        <Button needs="editor" variant="default" onClick={() => setReplaying(true)}>
          {words.replay}
        </Button>
      </Filters>
      <Loaded query={page}>
        {(found) =>
          found.data.length === 0 ? (
            <Empty icon={IconWebhook} title={words.noDeliveries} help={words.noDeliveriesHelp} />
          ) : (
            <div>
              <Listing label={words.tabs.deliveries} columns={[words.type, words.status, words.attempts, words.happened, words.nextTry]}>
                {found.data.map((one) => (
                  <Table.Tr key={one._id}>
                    <Table.Td>
                      <UnstyledButton onClick={() => setShown(one)}>
                        <Text size="sm" fw={600} c="var(--mantine-color-anchor)">
                          {one.type}
                        </Text>
                        <Text size="xs" c="dimmed">
                          {one.eventId}
                        </Text>
                      </UnstyledButton>
                    </Table.Td>
                    <Table.Td>
                      <Status status={one.status} label={words.statuses[one.status] ?? one.status} />
                    </Table.Td>
                    <Table.Td>{one.attempts}</Table.Td>
                    <Table.Td>
                      <When at={one.happenedAt} />
                    </Table.Td>
                    <Table.Td>{one.nextTryAt ? <When at={one.nextTryAt} /> : "—"}</Table.Td>
                  </Table.Tr>
                ))}
              </Listing>
              <Pager newer={newer} older={older} />
            </div>
          )
        }
      </Loaded>
      <Modal opened={replaying} onClose={() => setReplaying(false)} title={words.replay} closeButtonProps={{ "aria-label": text.close }}>
        <Replay webhookId={webhookId} close={() => setReplaying(false)} />
      </Modal>
      <Modal opened={shown !== null} onClose={() => setShown(null)} title={shown?.type} size="xl" closeButtonProps={{ "aria-label": text.close }}>
        {shown && <Told webhookId={webhookId} one={shown} close={() => setShown(null)} />}
      </Modal>
    </Stack>
  );
}

/** Which events are sent once more; asked about, since a server may act on each of them twice. */
function Replay({ webhookId, close }: { webhookId: string; close: () => void }) {
  const [status, setStatus] = useState<(typeof REPLAYED)[number]>("failed");
  const [range, setRange] = useState({ from: localOf(new Date(Date.now() - WEEK)), until: "" });
  const [rest, setRest] = useState<string | null>(null);
  const since = rest ?? instantOf(range.from) ?? new Date(0).toISOString();
  const until = instantOf(range.until) ?? null;
  const replay = useChange(
    () => told(api.POST("/v1/webhooks/{webhookId}/replay", { params: { path: { webhookId } }, body: { since, until, status } })),
    {
      stale: ["deliveries"],
      then: ({ replayed, next }) => {
        say(next ? words.replayMore(replayed) : words.replayed(replayed));
        setRest(next);
        if (!next) close();
      },
    },
  );
  return (
    <ChangeForm change={replay} action={words.replay}>
      <Text size="sm">{words.replayAbout}</Text>
      <NativeSelect
        label={words.replayWhich}
        data={REPLAYED.map((value) => ({ value, label: words.replayStatuses[value] ?? value }))}
        value={status}
        onChange={(e) => setStatus(e.currentTarget.value as typeof status)}
      />
      <TimeRange from={range.from} until={range.until} change={(part) => (setRest(null), setRange({ ...range, ...part }))} />
    </ChangeForm>
  );
}

function Told({ webhookId, one, close }: { webhookId: string; one: Delivery; close: () => void }) {
  const resend = useChange(
    () => told(api.POST("/v1/webhooks/{webhookId}/deliveries/{deliveryId}/resend", { params: { path: { webhookId, deliveryId: one._id } } })),
    { stale: ["deliveries"], said: words.resent, then: close },
  );
  return (
    <Stack>
      <Group>
        <Status status={one.status} label={words.statuses[one.status] ?? one.status} />
        <Button needs="editor" size="compact-sm" variant="default" loading={resend.isPending} onClick={() => resend.mutate()}>
          {words.resend}
        </Button>
      </Group>
      {resend.error && <ChangeFailure error={resend.error} />}
      <Title order={2}>{words.attempts}</Title>
      <Timeline bulletSize={12} lineWidth={2} active={one.tries.length}>
        {one.tries.map((tried, at) => (
          <Timeline.Item key={`${tried.at}${at}`} color={tried.code === "" ? "teal" : "red"}>
            <Group gap="xs">
              <Text size="sm" fw={600}>
                {words.answer(tried.status)}
              </Text>
              {tried.code && <Text size="sm">{tried.code}</Text>}
              <Text size="xs" c="dimmed" component="div">
                {`${tried.took} ms · `}
                <When at={tried.at} />
              </Text>
            </Group>
            {tried.answer && <Written value={tried.answer} label={words.answer(tried.status)} />}
          </Timeline.Item>
        ))}
      </Timeline>
      <Title order={2}>{words.body}</Title>
      <Written value={[`POST ${one.url}`, ...Object.entries(one.headers).map(([name, value]) => `${name}: ${value}`)].join("\n")} label={words.headers} />
      <Written value={one.body} label={words.body} />
    </Stack>
  );
}
