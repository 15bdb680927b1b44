import { ActionIcon, Alert, Badge, Card, Group, Menu, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconArrowRight, IconDeviceMobile, IconDots, IconPlus, IconSend, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told, type Schemas } from "../../data/client";
import { beat } from "../../data/live";
import { Button, MenuItem } from "../../parts/acts";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { ChangeFailure, Empty, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { SubscriberSelect } from "../../parts/SubscriberSelect";
import { TestSend } from "../../parts/TestSend";
import { When } from "../../parts/When";
import { text } from "../../text";
import { AddDevice } from "./AddDevice";

const words = text.subscribers.devices;
type Device = Schemas["DeviceOut"];

export function Devices({ subscriberId }: { subscriberId: string }) {
  const devices = useQuery({
    queryKey: ["devices", subscriberId],
    queryFn: () => told(api.GET("/v1/subscribers/{subscriberId}/devices", { params: { path: { subscriberId } } })),
    refetchInterval: () => beat(5000),
  });
  const [adding, setAdding] = useState(false);
  const add = (
    <Button needs="editor" variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)} style={{ alignSelf: "flex-start" }}>
      {words.add}
    </Button>
  );
  return (
    <Stack>
      <Loaded query={devices}>
        {(found) =>
          found.length === 0 ? (
            <Empty icon={IconDeviceMobile} title={words.empty} help={words.emptyHelp}>
              {add}
            </Empty>
          ) : (
            <>
              {add}
              <SimpleGrid cols={{ base: 1, md: 2 }}>
                {found.map((one) => (
                  <DeviceCard key={one.id} one={one} />
                ))}
              </SimpleGrid>
            </>
          )
        }
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.add} closeButtonProps={{ "aria-label": text.close }}>
        <AddDevice subscriberId={subscriberId} added={() => setAdding(false)} />
      </Modal>
    </Stack>
  );
}

type Asked = "test" | "move" | "remove" | null;

function DeviceCard({ one }: { one: Device }) {
  const [asked, setAsked] = useState<Asked>(null);
  const close = () => setAsked(null);
  const path = { subscriberId: one.subscriberId, deviceId: one.id };
  const remove = useChange(() => done(api.DELETE("/v1/subscribers/{subscriberId}/devices/{deviceId}", { params: { path } })), { stale: ["devices"] });
  return (
    <Card component="section" aria-label={one.id}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <Group gap="xs" miw={0}>
            <Identifier value={one.id} />
            <Status status={one.status} label={words.status[one.status] ?? one.status} />
            {one.platform && <Badge color="gray">{one.platform}</Badge>}
          </Group>
          <Actions id={one.id} ask={setAsked} />
        </Group>
        <Text size="sm" c="dimmed">
          {[one.integrationIdentifier, one.providerId, one.appVersion, one.locale, one.timezone].filter(Boolean).join(" · ")}
        </Text>
        <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {one.token}
        </Text>
        <Text size="sm" c="dimmed" component="div">
          {words.lastSeen} <When at={one.lastSeenAt} />
        </Text>
        {one.retiredAt && (
          <Alert color="red" p="xs" title={`${words.retired}: ${one.retiredReason ?? ""}`}>
            {words.why[one.retiredReason ?? ""] ?? words.code} <When at={one.retiredAt} />
          </Alert>
        )}
      </Stack>
      <Modal opened={asked === "test"} onClose={close} title={words.testTitle(one.id)} size="lg" closeButtonProps={{ "aria-label": text.close }}>
        <TestSend
          send={(said) => told(api.POST("/v1/subscribers/{subscriberId}/devices/{deviceId}/test", { params: { path }, body: said }))}
        />
      </Modal>
      <Modal opened={asked === "move"} onClose={close} title={words.moveTitle(one.id)} closeButtonProps={{ "aria-label": text.close }}>
        <Move one={one} moved={close} />
      </Modal>
      <Confirm opened={asked === "remove"} close={close} title={words.removing(one.id)} loses={words.loses} action={text.remove} change={remove} />
    </Card>
  );
}

function Actions({ id, ask }: { id: string; ask: (asked: Asked) => void }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={words.actions(id)}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <MenuItem needs="editor" leftSection={<IconSend size={16} aria-hidden />} onClick={() => ask("test")}>
          {words.test}
        </MenuItem>
        <MenuItem needs="editor" leftSection={<IconArrowRight size={16} aria-hidden />} onClick={() => ask("move")}>
          {words.move}
        </MenuItem>
        <MenuItem needs="editor" color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => ask("remove")}>
          {words.remove}
        </MenuItem>
      </Menu.Dropdown>
    </Menu>
  );
}

function Move({ one, moved }: { one: Device; moved: () => void }) {
  const [to, setTo] = useState("");
  const move = useChange(
    () =>
      told(
        api.POST("/v1/subscribers/{subscriberId}/devices/{deviceId}/move", {
          params: { path: { subscriberId: one.subscriberId, deviceId: one.id } },
          body: { subscriberId: to },
        }),
      ),
    { stale: ["devices"], said: words.moved, then: moved },
  );
  return (
    <Stack>
      <Text size="sm">{words.moveHelp}</Text>
      <SubscriberSelect label={words.moveTo} value={to} onChange={setTo} error={fieldErrors(move.error)["subscriberId"]} data-autofocus />
      {move.error && <ChangeFailure error={move.error} />}
      <Button needs="editor" disabled={!to} loading={move.isPending} onClick={() => move.mutate()}>
        {words.move}
      </Button>
    </Stack>
  );
}
