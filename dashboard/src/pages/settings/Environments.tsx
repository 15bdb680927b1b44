import { Badge, Button, ColorInput, ColorSwatch, Group, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told } from "../../data/client";
import { useEnvironment, useEnvironments, type Environment } from "../../data/environments";
import { useMay } from "../../data/member";
import { ChangeForm } from "../../parts/ChangeForm";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { Listing } from "../../parts/ListControls";
import { Loaded } from "../../parts/states";
import { text } from "../../text";

const words = text.settings.environments;
const COLOR = "#4263eb";
/** Every installation has the first two: they stay. */
const STANDING = 2;

export function Environments() {
  const environments = useEnvironments();
  const current = useEnvironment();
  const may = useMay();
  const [edited, setEdited] = useState<Environment | "new" | null>(null);
  return (
    <Stack maw={900}>
      <Text size="sm" c="dimmed">
        {words.about}
      </Text>
      {may("admin") && (
        <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setEdited("new")} style={{ alignSelf: "flex-start" }}>
          {words.add}
        </Button>
      )}
      <Loaded query={environments}>
        {(found) => (
          <Listing label={text.settings.tabs.environments} columns={[words.name, words.identifier, words.type, ""]}>
            {found.map((one, at) => (
              <Table.Tr key={one._id}>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    <ColorSwatch size={10} color={one.color ?? "var(--mantine-color-gray-5)"} withShadow={false} aria-hidden />
                    <Text size="sm" fw={600}>
                      {one.name}
                    </Text>
                    {one._id === current?._id && <Badge color="teal">{words.inUse}</Badge>}
                  </Group>
                </Table.Td>
                <Table.Td>
                  <Identifier value={one.identifier} />
                </Table.Td>
                <Table.Td>{words.types[one.type ?? ""] ?? "—"}</Table.Td>
                <Table.Td ta="right">
                  {may("admin") && (
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      <Button size="compact-xs" variant="default" aria-label={`${text.edit} ${one.name}`} onClick={() => setEdited(one)}>
                        {text.edit}
                      </Button>
                      {at >= STANDING && <Remove one={one} />}
                    </Group>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Listing>
        )}
      </Loaded>
      <Modal opened={edited !== null} onClose={() => setEdited(null)} title={edited === "new" ? words.add : edited?.name} closeButtonProps={{ "aria-label": text.close }}>
        {edited && <Form first={edited === "new" ? null : edited} saved={() => setEdited(null)} />}
      </Modal>
    </Stack>
  );
}

function Form({ first, saved }: { first: Environment | null; saved: () => void }) {
  const [name, setName] = useState(first?.name ?? "");
  const [color, setColor] = useState(first?.color ?? COLOR);
  const save = useChange(
    () =>
      first
        ? told(api.PUT("/v1/environments/{environmentId}", { params: { path: { environmentId: first._id } }, body: { name, color } }))
        : told(api.POST("/v1/environments", { body: { name, color } })),
    { stale: ["environments"], said: text.saved, then: saved },
  );
  const fields = fieldErrors(save.error);
  return (
    <ChangeForm change={save} action={text.save}>
      <TextInput label={words.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fields["name"]} required data-autofocus />
      <ColorInput label={words.color} value={color} onChange={setColor} error={fields["color"]} />
    </ChangeForm>
  );
}

function Remove({ one }: { one: Environment }) {
  const [asking, setAsking] = useState(false);
  const remove = useChange(() => done(api.DELETE("/v1/environments/{environmentId}", { params: { path: { environmentId: one._id } } })), {
    stale: ["environments"],
    said: words.removed,
  });
  return (
    <>
      <Button size="compact-xs" variant="subtle" color="red" aria-label={`${text.remove} ${one.name}`} onClick={() => setAsking(true)}>
        {text.remove}
      </Button>
      <Confirm opened={asking} close={() => setAsking(false)} title={words.removing(one.name)} loses={words.loses} action={text.remove} change={remove} />
    </>
  );
}
