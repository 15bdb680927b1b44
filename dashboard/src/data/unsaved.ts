/** What is written on a page and not saved yet. */
import { useState } from "react";

export interface Whereabouts {
  pathname: string;
  search: { tab?: string };
}

/** Whether a way leads off what somebody works on: another page, or another tab unless their work is kept there. */
export function leaves(current: Whereabouts, next: Whereabouts, keptInTabs: boolean): boolean {
  return current.pathname !== next.pathname || (!keptInTabs && current.search.tab !== next.search.tab);
}

/** Whether a form holds anything but what it began with, or what was saved last: give `keep` what was `now` as it was sent. */
export function useUnsaved(form: unknown): { changed: boolean; now: string; keep: (sent: string) => void } {
  const now = JSON.stringify(form);
  const [saved, keep] = useState(now);
  return { changed: now !== saved, now, keep };
}

interface Step {
  key: string;
  name: string;
  controls: unknown;
}

/** What of a draft is unlike what is saved: names of its fields, and the steps. */
export interface Changes {
  fields: string[];
  added: string[];
  changed: string[];
  removed: string[];
  moved: boolean;
}

export function changesOf<D extends { steps: readonly Step[] }>(saved: D, draft: D): Changes {
  const before = new Map(saved.steps.map((one) => [one.key, one]));
  const after = new Map(draft.steps.map((one) => [one.key, one]));
  const kept = draft.steps.filter((one) => before.has(one.key));
  const names = (steps: readonly Step[]) => steps.map((one) => one.name);
  return {
    fields: Object.keys(draft).filter((name) => name !== "steps" && differ(draft[name as keyof D], saved[name as keyof D])),
    added: names(draft.steps.filter((one) => !before.has(one.key))),
    changed: names(kept.filter((one) => differ(one, before.get(one.key)))),
    removed: names(saved.steps.filter((one) => !after.has(one.key))),
    moved: differ(kept.map((one) => one.key), saved.steps.filter((one) => after.has(one.key)).map((one) => one.key)),
  };
}

const differ = (one: unknown, other: unknown) => JSON.stringify(one) !== JSON.stringify(other);
