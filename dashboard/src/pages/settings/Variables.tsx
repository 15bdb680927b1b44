import { Badge, Checkbox, Group, Modal, PasswordInput, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told, type Schemas } from "../../data/client";
import { useEnvironments } from "../../data/environments";
import { Button } from "../../parts/acts";
import { ChangeForm } from "../../parts/ChangeForm";
import { Confirm } from "../../parts/Confirm";
import { Listing } from "../../parts/ListControls";
import { Loaded } from "../../parts/states";
import { text } from "../../text";

const words = text.settings.variables;
type Variable = Schemas["VariableOut"];

/** Variables of templates, with a value for each environment. */
export function Variables() {
  const environments = useEnvironments();
  const variables = useQuery({ queryKey: ["variables"], queryFn: () => told(api.GET("/v1/environment-variables")) });
  const [edited, setEdited] = useState<Variable | "new" | null>(null);
  return (
    <Stack maw={900}>
      <Text size="sm" c="dimmed">
        {words.about}
      </Text>
      <Button needs="admin" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setEdited("new")} style={{ alignSelf: "flex-start" }}>
        {words.add}
      </Button>
      <Loaded query={variables}>
        {(found) =>
          found.length === 0 ? (
            <Text size="sm">{words.empty}</Text>
          ) : (
            <Listing label={text.settings.tabs.variables} columns={[words.key, ...(environments.data ?? []).map((one) => one.name), ""]}>
              {found.map((one) => (
                <Table.Tr key={one._id}>
                  <Table.Td>
                    <Group gap="xs">
                      <Text size="sm" fw={600} ff="monospace">
                        {one.key}
                      </Text>
                      {one.isSecret && <Badge color="gray">{words.secret}</Badge>}
                    </Group>
                  </Table.Td>
                  {(environments.data ?? []).map((environment) => (
                    <Table.Td key={environment._id}>
                      <Text size="sm">{one.values.find((value) => value._environmentId === environment._id)?.value ?? "—"}</Text>
                    </Table.Td>
                  ))}
                  <Table.Td ta="right">
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      <Button needs="admin" size="compact-xs" variant="default" aria-label={`${text.edit} ${one.key}`} onClick={() => setEdited(one)}>
                        {text.edit}
                      </Button>
                      <Remove one={one} />
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Listing>
          )
        }
      </Loaded>
      <Modal opened={edited !== null} onClose={() => setEdited(null)} title={edited === "new" ? words.add : edited?.key} closeButtonProps={{ "aria-label": text.close }}>
        {edited && <Form first={edited === "new" ? null : edited} saved={() => setEdited(null)} />}
      </Modal>
    </Stack>
  );
}

function Form({ first, saved }: { first: Variable | null; saved: () => void }) {
  const environments = useEnvironments().data ?? [];
  const [key, setKey] = useState(first?.key ?? "");
  const [isSecret, setSecret] = useState(first?.isSecret ?? false);
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries((first?.values ?? []).map((one) => [one._environmentId, one.value])));
  const save = useChange(
    () => {
      const body = { key, isSecret, values: Object.entries(values).map(([_environmentId, value]) => ({ _environmentId, value })) };
      return first
        ? told(api.PATCH("/v1/environment-variables/{variableKey}", { params: { path: { variableKey: first.key } }, body }))
        : told(api.POST("/v1/environment-variables", { body }));
    },
    { stale: ["variables"], said: text.saved, then: saved },
  );
  const fields = fieldErrors(save.error);
  const Input = isSecret ? PasswordInput : TextInput;
  return (
    <ChangeForm change={save} action={text.save}>
      <TextInput label={words.key} description={words.keyHelp} value={key} onChange={(e) => setKey(e.currentTarget.value)} error={fields["key"]} required data-autofocus />
      <Checkbox label={words.secret} checked={isSecret} onChange={(e) => setSecret(e.currentTarget.checked)} />
      {environments.map((one) => (
        <Input
          key={one._id}
          label={words.value(one.name)}
          value={values[one._id] ?? ""}
          autoComplete="off"
          onChange={(e: React.ChangeEvent<HTMLInputElement>) => {
            const { value } = e.currentTarget;
            setValues((now) => ({ ...now, [one._id]: value }));
          }}
        />
      ))}
    </ChangeForm>
  );
}

function Remove({ one }: { one: Variable }) {
  const [asking, setAsking] = useState(false);
  const params = { path: { variableKey: one.key } };
  const usage = useQuery({
    queryKey: ["variables", "usage", one.key],
    queryFn: () => told(api.GET("/v1/environment-variables/{variableKey}/usage", { params })),
    enabled: asking,
  });
  const remove = useChange(() => done(api.DELETE("/v1/environment-variables/{variableKey}", { params })), { stale: ["variables"], said: words.removed });
  const used = usage.data?.workflows ?? [];
  return (
    <>
      <Button needs="admin" size="compact-xs" variant="subtle" color="red" aria-label={`${text.remove} ${one.key}`} onClick={() => setAsking(true)}>
        {text.remove}
      </Button>
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title={words.removing(one.key)}
        loses={
          <>
            {words.loses}
            {used.length > 0 && ` ${words.used}: ${used.map((workflow) => workflow.name).join(", ")}.`}
          </>
        }
        action={text.remove}
        change={remove}
      />
    </>
  );
}
