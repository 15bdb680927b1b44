import { Card, Group, MultiSelect, NativeSelect, NumberInput, Stack, Text } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { useUnsaved } from "../../data/unsaved";
import { ActionIcon, Button } from "../../parts/acts";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { Leaving } from "../../parts/Leaving";
import { ChangeFailure, Loaded } from "../../parts/states";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";

const words = text.settings.caps;
type Cap = Schemas["CapBody"];
const NEW: Cap = { scope: "subscriber", most: 5, window: { amount: 1, unit: "days" }, passes: ["high"] };
const choices = (named: Record<string, string>) => Object.entries(named).map(([value, label]) => ({ value, label }));

export function Caps() {
  const caps = useQuery({ queryKey: ["caps"], queryFn: () => told(api.GET("/v1/frequency-caps")) });
  return <Loaded query={caps}>{(found) => <Form first={found.caps} />}</Loaded>;
}

function Form({ first }: { first: Cap[] }) {
  const [caps, setCaps] = useState(first);
  const [removed, setRemoved] = useState(0);
  const { changed, now, keep } = useUnsaved(caps);
  const save = useChange(() => told(api.PUT("/v1/frequency-caps", { body: { caps } })).then(() => keep(now)), {
    stale: ["caps"],
    said: text.saved,
    then: () => setRemoved(0),
  });
  const put = (at: number, part: Partial<Cap>) => setCaps(caps.map((one, place) => (place === at ? { ...one, ...part } : one)));
  /** Caps that were saved stand before those that were added since. */
  const remove = (at: number) => {
    if (at < first.length - removed) setRemoved(removed + 1);
    setCaps(caps.filter((_, place) => place !== at));
  };
  return (
    <Card maw={860}>
      <Leaving changed={changed} loses={text.unsaved.form} />
      <Stack>
        <Text size="sm" c="dimmed">
          {words.about}
        </Text>
        {caps.length === 0 && <Text size="sm">{words.none}</Text>}
        {caps.map((cap, at) => (
          <Group key={at} align="flex-end" gap="sm">
            <NumberInput label={words.most} min={1} value={cap.most} onChange={(v) => put(at, { most: Number(v) || 1 })} w={90} />
            <NativeSelect label={words.scope} data={choices(words.scopes)} value={cap.scope} onChange={(e) => put(at, { scope: e.currentTarget.value as Cap["scope"] })} />
            <NumberInput label={words.amount} min={1} value={cap.window.amount} onChange={(v) => put(at, { window: { ...cap.window, amount: Number(v) || 1 } })} w={90} />
            <NativeSelect
              label={words.unit}
              data={choices(words.units)}
              value={cap.window.unit}
              onChange={(e) => put(at, { window: { ...cap.window, unit: e.currentTarget.value as Cap["window"]["unit"] } })}
            />
            <MultiSelect
              label={words.passes}
              data={choices(workflowText.settings.severities)}
              value={cap.passes ?? []}
              onChange={(passes) => put(at, { passes: passes as Cap["passes"] })}
              miw={200}
            />
            <ActionIcon needs="admin" variant="default" size={36} aria-label={words.remove} onClick={() => remove(at)}>
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
        {save.error && <ChangeFailure error={save.error} />}
        <Group>
          <Button needs="admin" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setCaps([...caps, NEW])}>
            {words.add}
          </Button>
          {removed > 0 ? (
            <ConfirmButton needs="admin" label={text.save} title={words.removing(removed)} loses={words.removeLoses} change={save} />
          ) : (
            <Button needs="admin" loading={save.isPending} onClick={() => save.mutate()}>
              {text.save}
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  );
}
