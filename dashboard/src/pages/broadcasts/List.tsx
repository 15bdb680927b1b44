import { Card, Group, Modal, NativeSelect, Progress, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBroadcast, IconPlayerPause, IconPlayerPlay, IconPlus, IconX } from "@tabler/icons-react";
import { useQuery, type UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { audienceOf } from "../../data/audience";
import { useChange } from "../../data/change";
import { api, told, whole, type Schemas } from "../../data/client";
import { useCursor } from "../../data/paging";
import { readObject } from "../../data/payload";
import { Button } from "../../parts/acts";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { ObjectInput } from "../../parts/Json";
import { TextLink } from "../../parts/links";
import { Filters } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { ChangeFailure, Empty, Heading, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { TopicsSelect } from "../../parts/TopicsSelect";
import { When } from "../../parts/When";
import { WorkflowSelect } from "../../parts/WorkflowSelect";
import { text } from "../../text";

const words = text.broadcasts;
const UNDER_WAY = new Set(["expanding", "delivering", "paused"]);
type Progressed = Schemas["TransactionOut"];

export function Broadcasts() {
  const [adding, setAdding] = useState(false);
  const [filter, setFilter] = useState({ workflow: "", state: "", search: "" });
  const [asked] = useDebouncedValue(queryOf(filter), 250);
  const filtered = Object.keys(asked).length > 0;
  const { page, newer, older } = useCursor(["broadcasts", asked], (place) => whole(api.GET("/v1/broadcasts", { params: { query: { limit: 10, ...asked, ...place } } })), 4000);
  return (
    <>
      <Heading title={words.title} about={words.about}>
        <Button needs="editor" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          {words.add}
        </Button>
      </Heading>
      <Filters>
        <WorkflowSelect label={words.workflow} placeholder={text.activity.filters.any} clearable value={filter.workflow} onChange={(workflow) => setFilter({ ...filter, workflow })} />
        <NativeSelect
          label={words.state}
          data={Object.entries(words.asked).map(([value, label]) => ({ value, label }))}
          value={filter.state}
          onChange={(e) => setFilter({ ...filter, state: e.currentTarget.value })}
        />
        <TextInput label={words.search} value={filter.search} onChange={(e) => setFilter({ ...filter, search: e.currentTarget.value })} />
      </Filters>
      <Loaded query={page}>
        {(found) =>
          found.data.length === 0 ? (
            <Empty icon={IconBroadcast} title={filtered ? words.nothing : words.empty} help={filtered ? words.nothingHelp : words.emptyHelp} />
          ) : (
            <Stack>
              {found.data.map((one) => (
                <Followed key={one.transactionId} one={one} />
              ))}
              <Pager newer={newer} older={older} />
            </Stack>
          )
        }
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.add} closeButtonProps={{ "aria-label": text.close }}>
        <NewBroadcast started={() => setAdding(false)} />
      </Modal>
    </>
  );
}

function queryOf({ workflow, state, search }: { workflow: string; state: string; search: string }) {
  const transactionId = search.trim();
  return { ...(workflow && { workflowId: workflow }), ...(state && { state: state as "started" | "paused" | "cancelled" }), ...(transactionId && { transactionId }) };
}

/** A broadcast, looked at every second while it is under way. */
function Followed({ one }: { one: Schemas["AudienceOut"] }) {
  const { transactionId } = one;
  const progress = useQuery({
    queryKey: ["broadcast", transactionId],
    queryFn: () => told(api.GET("/v1/transactions/{transactionId}", { params: { path: { transactionId } } })),
    refetchInterval: (query) => (query.state.data && !UNDER_WAY.has(query.state.data.state) ? false : 1000),
  });
  return (
    <Card component="section" aria-label={one.workflowId ?? transactionId}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            {one.workflowId ? (
              <TextLink to="/workflows/$workflowId" params={{ workflowId: one.workflowId }} fw={600}>
                {one.workflowId}
              </TextLink>
            ) : (
              <Text fw={600}>{text.activity.unknownWorkflow}</Text>
            )}
            {progress.data && <Status status={progress.data.state} label={words.states[progress.data.state] ?? progress.data.state} />}
          </Group>
          <Text size="sm" c="dimmed" component="span">
            {words.audience(one.audience)} · <When at={one.acceptedAt} />
          </Text>
        </Group>
        <Loaded query={progress}>{(found) => <Bar found={found} />}</Loaded>
        <Group justify="space-between" gap="xs">
          <Identifier value={transactionId} />
          <Group gap="xs">
            {progress.data && <Controls found={progress.data} />}
            <TextLink to="/activity" search={{ search: transactionId }} size="sm">
              {words.activity}
            </TextLink>
          </Group>
        </Group>
      </Stack>
    </Card>
  );
}

function Bar({ found }: { found: Progressed }) {
  const people = Math.max(found.audience ?? 0, found.addressed, 1);
  const perPerson = found.addressed > 0 ? found.messages / found.addressed : 1;
  const whole = Math.max(found.messages, people * perPerson, 1);
  const part = (n: number) => (100 * n) / whole;
  const percent = found.state === "completed" ? 100 : Math.round(part(found.delivered + found.failed + found.cancelled));
  const counts = (["addressed", "delivered", "failed", "skipped", "cancelled", "inFlight"] as const).filter((name) => found[name] > 0);
  return (
    <div>
      <Progress.Root size="lg" aria-label={words.progressOf(found.workflowId ?? "", percent)} role="img">
        <Progress.Section value={part(found.delivered)} color="teal" withAria={false} />
        <Progress.Section value={part(found.failed)} color="red" withAria={false} />
        <Progress.Section value={part(found.cancelled)} color="gray" withAria={false} />
      </Progress.Root>
      <Text size="sm" c="dimmed" mt={6} component="div">
        {counts.map((name) => `${found[name].toLocaleString()} ${words.counts[name]}`).join(" · ")}
        {UNDER_WAY.has(found.state) && ` · ${words.rate(found.ratePerSecond)}`}
        {found.expectedEnd && (
          <>
            {` · ${words.ends} `}
            <When at={found.expectedEnd} />
          </>
        )}
      </Text>
    </div>
  );
}

function Controls({ found: { state, transactionId } }: { found: Progressed }) {
  const [asking, setAsking] = useState(false);
  const params = { path: { transactionId } };
  const stale = ["broadcasts", "broadcast"];
  const pause = useChange(() => told(api.POST("/v1/transactions/{transactionId}/pause", { params })), { stale });
  const resume = useChange(() => told(api.POST("/v1/transactions/{transactionId}/resume", { params })), { stale });
  const cancel = useChange(() => told(api.DELETE("/v1/events/trigger/{transactionId}", { params })), { stale, said: words.cancelled });
  if (!UNDER_WAY.has(state)) return null;
  const error = pause.error ?? resume.error;
  return (
    <Group gap="xs">
      {error && <ChangeFailure error={error} />}
      {state === "paused" ? (
        <Button needs="editor" size="compact-sm" variant="default" leftSection={<IconPlayerPlay size={14} aria-hidden />} loading={resume.isPending} onClick={() => resume.mutate()}>
          {words.resume}
        </Button>
      ) : (
        <Button needs="editor" size="compact-sm" variant="default" leftSection={<IconPlayerPause size={14} aria-hidden />} loading={pause.isPending} onClick={() => pause.mutate()}>
          {words.pause}
        </Button>
      )}
      <Button needs="editor" size="compact-sm" variant="default" leftSection={<IconX size={14} aria-hidden />} onClick={() => setAsking(true)}>
        {words.cancel}
      </Button>
      <Confirm opened={asking} close={() => setAsking(false)} title={words.cancelling} loses={words.loses} action={words.cancelIt} change={cancel} />
    </Group>
  );
}

const WHOM = ["everybody", "topics"] as const;

function NewBroadcast({ started }: { started: () => void }) {
  const [name, setName] = useState("");
  const [whom, setWhom] = useState<(typeof WHOM)[number]>("everybody");
  const [topics, setTopics] = useState<string[]>([]);
  const [payload, setPayload] = useState("{}");
  const [asking, setAsking] = useState(false);
  const given = readObject(payload || "{}");
  const body = { name, payload: given ?? {} };
  const to = topics.map((topicKey) => ({ type: "Topic", topicKey }));
  const start = useChange(
    () => told(whom === "everybody" ? api.POST("/v1/events/trigger/broadcast", { body }) : api.POST("/v1/events/trigger", { body: { ...body, to } })),
    { stale: ["broadcasts"], said: words.started, then: started },
  );
  const ready = name !== "" && given !== null && (whom === "everybody" || topics.length > 0);
  if (asking) return <Sure name={name} topics={whom === "topics" ? topics : null} start={start} back={() => setAsking(false)} />;
  return (
    <Stack>
      <WorkflowSelect label={words.workflow} active required value={name} onChange={setName} data-autofocus />
      <SegmentedControl
        aria-label={words.whom}
        fullWidth
        value={whom}
        onChange={(value) => setWhom(value as typeof whom)}
        data={WHOM.map((value) => ({ value, label: words.whoms[value] ?? value }))}
      />
      {whom === "topics" && <TopicsSelect label={text.topics.title} value={topics} onChange={setTopics} required />}
      <ObjectInput label={words.payload} value={payload} onChange={setPayload} />
      <Button needs="editor" disabled={!ready} onClick={() => setAsking(true)}>
        {words.next}
      </Button>
    </Stack>
  );
}

interface SureProps {
  name: string;
  /** Null: everybody. */
  topics: string[] | null;
  start: UseMutationResult<unknown, Error, void>;
  back: () => void;
}

/** Asks once more, with how many people it reaches. */
function Sure({ name, topics, start, back }: SureProps) {
  const audience = useQuery({
    queryKey: ["audience", topics],
    queryFn: async () => {
      if (topics === null) return audienceOf([await whole(api.GET("/v2/subscribers", { params: { query: { limit: 1 } } }))]);
      const of = (topicKey: string) => whole(api.GET("/v2/topics/{topicKey}/subscriptions", { params: { path: { topicKey }, query: { limit: 1 } } }));
      return audienceOf(await Promise.all(topics.map(of)));
    },
    gcTime: 0,
  });
  return (
    <Loaded query={audience}>
      {(found) => (
        <Stack>
          <Text size="sm" role="status">
            {words.reaches(name, topics, words.people(found))}
          </Text>
          {start.error && <ChangeFailure error={start.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={back} data-autofocus>
              {words.back}
            </Button>
            <Button needs="editor" loading={start.isPending} onClick={() => start.mutate()}>
              {words.start(words.people(found))}
            </Button>
          </Group>
        </Stack>
      )}
    </Loaded>
  );
}
