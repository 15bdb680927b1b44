import { Alert, Card, Group, JsonInput, Modal, NativeSelect, SimpleGrid, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, told, whole, type Schemas } from "../data/client";
import { Button } from "../parts/acts";
import { ButtonLink } from "../parts/links";
import { ChangeFailure, Empty, Heading, Loaded } from "../parts/states";
import { lookOf, type Device } from "../data/look";
import { DevicePush, DeviceScreen } from "../parts/PhonePreview";
import { useWorkflows, WorkflowSelect } from "../parts/WorkflowSelect";
import { When } from "../parts/When";
import { readObject } from "../data/payload";
import { text } from "../text";

const words = text.phones;
type Phone = Schemas["PhoneOut"];

/** Virtual phones, looked at again every second while the page is open. */
export function Phones() {
  const sandbox = useQuery({
    queryKey: ["sandbox"],
    queryFn: () => told(api.GET("/v1/sandbox")),
    refetchInterval: 1000,
  });
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Loaded query={sandbox}>
        {(found) =>
          found.available ? (
            <Stack gap="lg">
              <SimpleGrid cols={{ base: 1, md: 2 }}>
                <AddPhone />
                <SendPush subscribers={[...new Set(found.phones.map((phone) => phone.subscriberId))]} />
              </SimpleGrid>
              {found.phones.length === 0 ? (
                <Empty title={words.empty} help={words.emptyHelp} />
              ) : (
                <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
                  {found.phones.map((phone) => (
                    <PhoneCard key={phone.id} phone={phone} />
                  ))}
                </SimpleGrid>
              )}
            </Stack>
          ) : (
            <Empty title={words.unavailable} help={words.unavailableHelp} />
          )
        }
      </Loaded>
    </>
  );
}

function AddPhone() {
  const queries = useQueryClient();
  const [subscriberId, setSubscriber] = useState("");
  const [name, setName] = useState("Phone");
  const [platform, setPlatform] = useState<Phone["platform"]>("ios");
  const add = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/sandbox/phones", {
          body: { subscriberId, name, platform: platform as "ios" | "android" | "web" },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["sandbox"] }),
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    add.mutate();
  }
  return (
    <Card withBorder component="section" aria-label={words.addPhone}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label={words.subscriber} value={subscriberId} onChange={(e) => setSubscriber(e.currentTarget.value)} required />
          <TextInput label={words.name} value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <NativeSelect
            label={words.platform}
            value={platform}
            onChange={(e) => setPlatform(e.currentTarget.value)}
            data={Object.entries(words.platforms).map(([kind, label]) => ({ value: kind, label }))}
          />
          {add.error && <ChangeFailure error={add.error} />}
          <Button needs="editor" type="submit" loading={add.isPending}>
            {words.addPhone}
          </Button>
        </Stack>
      </form>
    </Card>
  );
}

function SendPush({ subscribers }: { subscribers: string[] }) {
  const workflows = useWorkflows("");
  const [chosen, setChosen] = useState("");
  const [to, setTo] = useState("");
  const [payload, setPayload] = useState("{}");
  const given = readObject(payload);
  const name = chosen || workflows.data?.workflows[0]?.workflowId || "";
  const subscriber = to || subscribers[0] || "";
  const send = useMutation({
    mutationFn: () =>
      told(api.POST("/v1/events/trigger", { body: { name, to: subscriber, payload: given ?? {} } })),
  });
  return (
    <Card withBorder component="section" aria-label={words.try}>
      <Loaded query={workflows}>
        {(found) =>
          found.workflows.length === 0 ? (
            <Stack gap="sm" align="flex-start">
              <Text c="dimmed">{words.noWorkflow}</Text>
              <ButtonLink to="/workflows" variant="default">
                {words.makeWorkflow}
              </ButtonLink>
            </Stack>
          ) : (
            <Stack gap="sm">
              <WorkflowSelect label={words.workflow} value={name} onChange={setChosen} allowDeselect={false} />
              <NativeSelect label={words.subscriber} value={subscriber} onChange={(e) => setTo(e.currentTarget.value)} data={subscribers} />
              <JsonInput label={words.payload} value={payload} onChange={setPayload} error={given ? null : words.payloadWrong} autosize />
              {send.error && <ChangeFailure error={send.error} />}
              {send.data && (
                <Alert role="status" color={send.data.status === "processed" ? "teal" : "yellow"}>
                  {words.statuses[send.data.status] ?? send.data.error?.join("; ") ?? send.data.status}
                </Alert>
              )}
              <Button needs="editor" disabled={!subscriber || !given} loading={send.isPending} onClick={() => send.mutate()}>
                {words.try}
              </Button>
            </Stack>
          )
        }
      </Loaded>
    </Card>
  );
}

/** A push on a phone; pressing it unfolds it. */
function Shown({ push, device }: { push: Phone["pushes"][number]; device: Device }) {
  const [whole, setWhole] = useState(false);
  return (
    <UnstyledButton aria-expanded={whole} onClick={() => setWhole(!whole)}>
      <DevicePush
        device={device}
        title={push.title}
        body={push.body}
        look={lookOf(device, push.content)}
        whole={whole}
        when={<When at={push.receivedAt} />}
      />
    </UnstyledButton>
  );
}

function PhoneCard({ phone }: { phone: Phone }) {
  const platform = phone.platform as Device;
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => whole(api.DELETE("/v1/sandbox/phones/{phoneId}", { params: { path: { phoneId: phone.id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["sandbox"] }),
  });
  return (
    <Card withBorder radius="lg" component="section" aria-label={phone.name}>
      <Group justify="space-between" wrap="nowrap" mb="sm">
        <div>
          <Text fw={600}>{phone.name}</Text>
          <Text size="sm" c="dimmed">
            {phone.subscriberId} · {words.platforms[platform]}
          </Text>
        </div>
        <Button needs="editor" size="compact-xs" variant="default" onClick={() => setAsking(true)}>
          {text.remove}
        </Button>
      </Group>
      <DeviceScreen device={platform}>
        <Stack gap="xs">
          {phone.pushes.length === 0 && <Text c={platform === "web" ? "dimmed" : "white"}>{words.noPush}</Text>}
          {phone.pushes.map((push) => (
            <Shown key={push.messageId} push={push} device={platform} />
          ))}
        </Stack>
      </DeviceScreen>
      <Modal opened={asking} onClose={() => setAsking(false)} title={words.removing} closeButtonProps={{ "aria-label": text.cancel }}>
        <Stack>
          <Text>{words.loses}</Text>
          {remove.error && <ChangeFailure error={remove.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsking(false)}>
              {text.cancel}
            </Button>
            <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              {text.remove}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Card>
  );
}
