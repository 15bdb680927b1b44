import { ActionIcon, Card, Divider, Group, Stack, TextInput, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { untouched, withControl } from "../../data/steps";
import { Ask } from "../../parts/Confirm";
import { workflowText } from "../../text/workflows";
import { Conditions } from "./Conditions";
import type { DraftStep, Editing, Workflow } from "./draft";
import { CustomForm, DelayForm, DigestForm, ThrottleForm } from "./forms";
import { HttpForm } from "./HttpForm";
import { PushForm } from "./PushForm";
import { useVariables } from "./variables";

const words = workflowText.step;

export interface FormProps {
  controls: Record<string, unknown>;
  set: (name: string, value: unknown) => void;
  names: readonly string[];
  errors: Record<string, string>;
}

interface StepEditorProps {
  workflow: Workflow;
  editing: Editing;
  step: DraftStep;
  at: number;
  errors: Record<string, string>;
}

/** Everything that can be set on one step. */
export function StepEditor({ workflow, editing, step, at, errors }: StepEditorProps) {
  const names = useVariables(workflow, step);
  const set = (name: string, value: unknown) => editing.changeStep(step.key, { controls: withControl(step.controls, name, value) });
  const form: FormProps = { controls: step.controls, set, names, errors };
  return (
    <Card>
      <Stack>
        <Group align="flex-end" wrap="nowrap" gap="xs">
          <TextInput
            label={words.name}
            value={step.name}
            onChange={(e) => editing.changeStep(step.key, { name: e.currentTarget.value })}
            style={{ flex: 1 }}
          />
          <Act label={words.up} icon={<IconArrowUp size={16} />} off={at === 0} act={() => editing.moveStep(step.key, -1)} />
          <Act label={words.down} icon={<IconArrowDown size={16} />} off={at === editing.draft.steps.length - 1} act={() => editing.moveStep(step.key, 1)} />
          <Remove step={step} remove={() => editing.removeStep(step.key)} />
        </Group>
        {step.type === "push" && <PushForm {...form} workflow={workflow} stepId={step._id} />}
        {step.type === "delay" && <DelayForm {...form} />}
        {step.type === "digest" && <DigestForm {...form} />}
        {step.type === "throttle" && <ThrottleForm {...form} />}
        {step.type === "http_request" && <HttpForm {...form} />}
        {step.type === "custom" && <CustomForm {...form} />}
        <Divider />
        <Conditions logic={step.controls["skip"]} change={(logic) => set("skip", logic)} names={names} error={errors["skip"]} />
      </Stack>
    </Card>
  );
}

/** A step that somebody has worked on is asked about. */
function Remove({ step, remove }: { step: DraftStep; remove: () => void }) {
  const [asking, setAsking] = useState(false);
  const saved = step._id !== undefined;
  return (
    <>
      <Act label={words.remove} icon={<IconTrash size={16} />} act={() => (!saved && untouched(step.type, step.controls) ? remove() : setAsking(true))} />
      <Ask opened={asking} close={() => setAsking(false)} title={words.removing(step.name)} loses={words.loses(saved)} action={words.remove} act={remove} />
    </>
  );
}

function Act({ label, icon, act, off = false }: { label: string; icon: React.ReactNode; act: () => void; off?: boolean }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={36} aria-label={label} onClick={act} disabled={off}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
