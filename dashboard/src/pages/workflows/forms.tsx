/** The forms of steps that wait, gather, count, or give values. */
import { Checkbox, Group, NativeSelect, NumberInput, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { readObject } from "../../data/payload";
import { THROTTLE_UNITS, UNITS } from "../../data/steps";
import { ObjectInput } from "../../parts/Json";
import { TemplateInput } from "../../parts/TemplateInput";
import { workflowText } from "../../text/workflows";
import type { FormProps } from "./StepEditor";

const words = workflowText.wait;
const said = (controls: FormProps["controls"], name: string) => (controls[name] === undefined ? "" : String(controls[name]));
const units = (named: readonly string[]) => named.map((value) => ({ value, label: words.units[value] ?? value }));

export function DelayForm(form: FormProps) {
  return (
    <Stack>
      <Kind {...form} kinds={["regular", "timed", "dynamic"]} />
      <Length {...form} units={UNITS} />
      {said(form.controls, "type") === "timed" && !said(form.controls, "cron") && <TimeOfDay {...form} />}
      <Flag {...form} name="extendToSchedule" label={words.extend} />
    </Stack>
  );
}

export function DigestForm(form: FormProps) {
  const { controls, set, names, errors } = form;
  return (
    <Stack>
      <Kind {...form} kinds={["regular", "timed"]} />
      <Length {...form} units={UNITS} />
      <TemplateInput
        label={words.digestKey}
        description={words.digestKeyHelp}
        placeholder="payload.postId"
        value={said(controls, "digestKey")}
        onChange={(v) => set("digestKey", v)}
        names={names}
        error={errors["digestKey"]}
      />
      {said(controls, "type") !== "timed" && <LookBack {...form} />}
      <Flag {...form} name="extendToSchedule" label={words.extend} />
      <Text size="sm" c="dimmed">
        {words.gathered}
      </Text>
    </Stack>
  );
}

export function ThrottleForm(form: FormProps) {
  const { controls, set, names, errors } = form;
  return (
    <Stack>
      <NumberInput
        label={words.threshold}
        description={words.thresholdHelp}
        min={1}
        value={Number(controls["threshold"] ?? 1)}
        onChange={(v) => set("threshold", Number(v))}
        error={errors["threshold"]}
        maw={240}
      />
      <Kind {...form} kinds={["fixed", "dynamic"]} />
      <Length {...form} units={THROTTLE_UNITS} />
      <TemplateInput
        label={words.throttleKey}
        description={words.throttleKeyHelp}
        placeholder="payload.postId"
        value={said(controls, "throttleKey")}
        onChange={(v) => set("throttleKey", v)}
        names={names}
        error={errors["throttleKey"]}
      />
    </Stack>
  );
}

export function CustomForm({ controls, set, errors }: FormProps) {
  const [written, setWritten] = useState(JSON.stringify(controls["custom"] ?? {}, null, 2));
  return (
    <ObjectInput
      label={workflowText.custom.values}
      description={workflowText.custom.help}
      value={written}
      onChange={(v) => {
        setWritten(v);
        const read = readObject(v);
        if (read) set("custom", read);
      }}
      error={errors["custom"]}
    />
  );
}

function Kind({ controls, set, kinds }: FormProps & { kinds: readonly ("regular" | "timed" | "dynamic" | "fixed")[] }) {
  return (
    <SegmentedControl
      aria-label={words.kind}
      value={said(controls, "type") || (kinds[0] ?? "")}
      onChange={(v) => set("type", v)}
      data={kinds.map((value) => ({ value, label: words[value] }))}
    />
  );
}

/** An amount with a unit, a cron expression, or the path of a value: as the kind wants it. */
function Length({ controls, set, names, errors, units: offered }: FormProps & { units: readonly string[] }) {
  const kind = said(controls, "type");
  if (kind === "timed") {
    return (
      <TextInput
        label={words.cron}
        description={words.cronHelp}
        placeholder="0 9 * * 1"
        value={said(controls, "cron")}
        onChange={(e) => set("cron", e.currentTarget.value)}
        error={errors["cron"]}
      />
    );
  }
  if (kind === "dynamic") {
    return (
      <TemplateInput
        label={words.dynamicKey}
        description={words.dynamicKeyHelp}
        placeholder="payload.sendAt"
        value={said(controls, "dynamicKey")}
        onChange={(v) => set("dynamicKey", v)}
        names={names}
        error={errors["dynamicKey"]}
      />
    );
  }
  return (
    <Group align="flex-start">
      <NumberInput
        label={words.amount}
        min={1}
        value={Number(controls["amount"] ?? 1)}
        onChange={(v) => set("amount", Number(v))}
        error={errors["amount"]}
        maw={140}
      />
      <NativeSelect
        label={words.unit}
        data={units(offered)}
        value={said(controls, "unit") || offered[0]}
        onChange={(e) => set("unit", e.currentTarget.value)}
        error={errors["unit"]}
      />
    </Group>
  );
}

/** A time of day, in place of a cron expression. */
function TimeOfDay({ controls, set, errors }: FormProps) {
  return (
    <TextInput
      label={words.time}
      description={words.timeHelp}
      placeholder="09:00"
      value={said(controls, "time")}
      onChange={(e) => set("time", e.currentTarget.value)}
      error={errors["time"]}
      maw={240}
    />
  );
}

function LookBack({ controls, set }: FormProps) {
  const window = controls["lookBackWindow"] as { amount: number; unit: string } | undefined;
  return (
    <Stack gap="xs">
      <Checkbox
        label={words.lookBack}
        description={words.lookBackHelp}
        checked={window !== undefined}
        onChange={(e) => set("lookBackWindow", e.currentTarget.checked ? { amount: 10, unit: "minutes" } : undefined)}
      />
      {window && (
        <Group>
          <NumberInput label={words.amount} min={1} value={window.amount} onChange={(v) => set("lookBackWindow", { ...window, amount: Number(v) })} maw={140} />
          <NativeSelect label={words.unit} data={units(UNITS)} value={window.unit} onChange={(e) => set("lookBackWindow", { ...window, unit: e.currentTarget.value })} />
        </Group>
      )}
    </Stack>
  );
}

function Flag({ controls, set, name, label }: FormProps & { name: string; label: string }) {
  return <Checkbox label={label} checked={controls[name] === true} onChange={(e) => set(name, e.currentTarget.checked || undefined)} />;
}
