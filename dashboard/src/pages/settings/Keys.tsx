import { ActionIcon, Alert, Badge, Button, Code, Group, Menu, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told, type Schemas } from "../../data/client";
import { useEnvironment } from "../../data/environments";
import { Confirm } from "../../parts/Confirm";
import { Copy } from "../../parts/Copy";
import { Listing } from "../../parts/ListControls";
import { ChangeFailure, Loaded, Waiting } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.settings.keys;
type Key = Schemas["KeyOut"];

/** The keys of the environment in use. */
export function Keys() {
  const environment = useEnvironment();
  return environment ? <List environmentId={environment._id} /> : <Waiting />;
}

function List({ environmentId }: { environmentId: string }) {
  const [name, setName] = useState("");
  const [made, setMade] = useState<Key | null>(null);
  const params = { path: { environmentId } };
  const keys = useQuery({ queryKey: ["keys", environmentId], queryFn: () => told(api.GET("/v1/environments/{environmentId}/keys", { params })) });
  const create = useChange(() => told(api.POST("/v1/environments/{environmentId}/keys", { params, body: { name } })), { stale: ["keys"], then: setMade });
  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate();
  }
  return (
    <Stack maw={900}>
      <Text size="sm" c="dimmed">
        {words.about}
      </Text>
      <form onSubmit={submit}>
        <Group align="flex-end">
          <TextInput label={words.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fieldErrors(create.error)["name"]} />
          <Button type="submit" loading={create.isPending}>
            {words.add}
          </Button>
        </Group>
      </form>
      {create.error && <ChangeFailure error={create.error} />}
      {made && (
        <Alert color="teal" role="status" title={words.once}>
          <Group gap="xs" wrap="nowrap">
            <Code style={{ overflowWrap: "anywhere" }}>{made.key}</Code>
            <Copy value={made.key} />
          </Group>
        </Alert>
      )}
      <Loaded query={keys}>
        {(found) => (
          <Listing label={text.settings.tabs.keys} columns={[words.key, words.name, words.created, words.expires, ""]}>
            {found.map((one) => (
              <Table.Tr key={one._id}>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    <Code>{one.key}</Code>
                    {one.current && <Badge color="teal">{words.current}</Badge>}
                  </Group>
                </Table.Td>
                <Table.Td>{one.name || "—"}</Table.Td>
                <Table.Td>
                  <When at={one.createdAt} />
                </Table.Td>
                <Table.Td>{one.expiresAt ? <When at={one.expiresAt} /> : "—"}</Table.Td>
                <Table.Td ta="right">
                  <Actions environmentId={environmentId} one={one} made={setMade} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Listing>
        )}
      </Loaded>
    </Stack>
  );
}

function Actions({ environmentId, one, made }: { environmentId: string; one: Key; made: (key: Key) => void }) {
  const [asking, setAsking] = useState<"rotate" | "revoke" | null>(null);
  const close = () => setAsking(null);
  const params = { path: { environmentId, keyId: one._id } };
  const rotate = useChange(() => told(api.POST("/v1/environments/{environmentId}/keys/{keyId}/rotate", { params, body: { overlapHours: 24 } })), {
    stale: ["keys"],
    then: made,
  });
  const revoke = useChange(() => done(api.DELETE("/v1/environments/{environmentId}/keys/{keyId}", { params })), { stale: ["keys"], said: words.revoked });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={words.actions(one.name || one.key)}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setAsking("rotate")}>{words.rotate}</Menu.Item>
          <Menu.Item color="red" onClick={() => setAsking("revoke")}>
            {words.revoke}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm opened={asking === "rotate"} close={close} title={words.rotating} loses={words.rotateLoses} action={words.rotate} change={rotate} />
      <Confirm opened={asking === "revoke"} close={close} title={words.revoking} loses={words.revokeLoses} action={words.revoke} change={revoke} />
    </>
  );
}
