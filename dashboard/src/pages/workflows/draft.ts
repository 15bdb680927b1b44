/** A workflow while it is edited: what is shown, what was saved, and how to save. */
import { useState } from "react";
import { api, told, type Schemas } from "../../data/client";
import { useChange } from "../../data/change";
import { firstControls, type Controls, type StepKind } from "../../data/steps";
import { changesOf } from "../../data/unsaved";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";

export type Workflow = Schemas["WorkflowOut"];

/** A step of the draft; `key` names it here, also before it was saved. */
export interface DraftStep {
  key: string;
  _id?: string;
  stepId?: string;
  name: string;
  type: string;
  controls: Controls;
}

export interface Draft {
  name: string;
  description: string;
  tags: string[];
  active: boolean;
  validatePayload: boolean;
  payloadSchema: Record<string, unknown> | null;
  isTranslationEnabled: boolean;
  severity: string;
  outsideSchedule: string;
  preferences: Schemas["WorkflowPreferences"];
  steps: DraftStep[];
}

export function draftOf(workflow: Workflow): Draft {
  const { name, description, tags, active, validatePayload, payloadSchema, isTranslationEnabled, severity, outsideSchedule } = workflow;
  const preferences = workflow.preferences["default"] as Schemas["WorkflowPreferences"];
  const steps = workflow.steps.map((step) => ({
    key: step._id, _id: step._id, stepId: step.stepId, name: step.name, type: step.type, controls: step.controlValues,
  }));
  return { name, description, tags, active, validatePayload, payloadSchema, isTranslationEnabled, severity, outsideSchedule, preferences, steps };
}

/** The draft as the API takes it; `user` preferences of the workflow stay as they are. */
export function bodyOf(draft: Draft, workflow: Workflow): Schemas["WorkflowIn"] {
  const { steps, preferences, severity, outsideSchedule, ...rest } = draft;
  return {
    ...rest,
    severity: severity as Schemas["WorkflowIn"]["severity"],
    outsideSchedule: outsideSchedule as Schemas["WorkflowIn"]["outsideSchedule"],
    preferences: { user: (workflow.preferences["user"] ?? null) as Schemas["WorkflowPreferences"] | null, workflow: preferences },
    steps: steps.map(({ key: _, controls, ...step }) => ({ ...step, controlValues: controls })),
  };
}

/** Editing: the draft, whether it differs from what is saved, and what changes it. */
export function useDraft(workflow: Workflow) {
  const [draft, setDraft] = useState(() => draftOf(workflow));
  const save = useChange(
    () => told(api.PUT("/v2/workflows/{workflowId}", { params: { path: { workflowId: workflow.workflowId } }, body: bodyOf(draft, workflow) })),
    { stale: ["workflow", "workflows"], said: text.saved, then: (saved) => setDraft(draftOf(saved)) },
  );
  const changes = changesOf(draftOf(workflow), draft);
  const changed = Object.values(changes).some((one) => (Array.isArray(one) ? one.length > 0 : one));
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));
  const steps = (of: (steps: DraftStep[]) => DraftStep[]) => setDraft((now) => ({ ...now, steps: of(now.steps) }));
  return {
    draft,
    changed,
    changes,
    save,
    change,
    discard: () => setDraft(draftOf(workflow)),
    changeStep: (key: string, part: Partial<DraftStep>) => steps((all) => all.map((one) => (one.key === key ? { ...one, ...part } : one))),
    removeStep: (key: string) => steps((all) => all.filter((one) => one.key !== key)),
    addStep: (at: number, kind: StepKind): string => {
      const key = crypto.randomUUID?.() ?? `${Date.now()}-${at}`;
      const added = { key, name: workflowText.kinds[kind]?.[0] ?? kind, type: kind, controls: firstControls(kind) };
      steps((all) => [...all.slice(0, at), added, ...all.slice(at)]);
      return key;
    },
    moveStep: (key: string, by: -1 | 1) => steps((all) => moved(all, all.findIndex((one) => one.key === key), by)),
  };
}

export type Editing = ReturnType<typeof useDraft>;

export function moved<T>(all: T[], from: number, by: -1 | 1): T[] {
  const to = from + by;
  const [here, there] = [all[from], all[to]];
  if (here === undefined || there === undefined) return all;
  return all.map((one, at) => (at === from ? there : at === to ? here : one));
}
