/** The kinds of steps: what is set on them at first, and how they read in one line. */

export type Controls = Record<string, unknown>;

export const STEP_KINDS = ["push", "delay", "digest", "throttle", "http_request", "custom"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export const UNITS = ["seconds", "minutes", "hours", "days", "weeks", "months"] as const;
export const THROTTLE_UNITS = ["minutes", "hours", "days"] as const;
export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const FIRST: Record<StepKind, Controls> = {
  push: { subject: "", body: "" },
  delay: { type: "regular", amount: 5, unit: "minutes" },
  digest: { type: "regular", amount: 10, unit: "minutes" },
  throttle: { type: "fixed", amount: 1, unit: "hours", threshold: 1 },
  http_request: { method: "POST", url: "" },
  custom: { custom: {} },
};

/** What a new step of a kind holds. */
export function firstControls(kind: StepKind): Controls {
  return { ...FIRST[kind] };
}

/** Whether a step still holds nothing but what a new one does. */
export function untouched(kind: string, controls: Controls): boolean {
  return JSON.stringify(controls) === JSON.stringify(FIRST[kind as StepKind]);
}

/** A step in one line; empty where it says nothing yet. */
export function summary(kind: string, controls: Controls): string {
  const said = (name: string) => (controls[name] === undefined || controls[name] === null ? "" : String(controls[name]));
  const span = said("cron") || [said("amount"), said("unit")].filter(Boolean).join(" ");
  switch (kind) {
    case "push":
      return said("subject") || said("body");
    case "delay":
    case "digest":
      return span;
    case "throttle":
      return span && `${said("threshold") || "1"} / ${said("dynamicKey") || span}`;
    case "http_request":
      return [said("method"), said("url")].filter(Boolean).join(" ");
    default:
      return "";
  }
}

/** The controls with one changed; what is emptied is left out. */
export function withControl(controls: Controls, name: string, value: unknown): Controls {
  const { [name]: _, ...rest } = controls;
  return value === "" || value === null || value === undefined ? rest : { ...rest, [name]: value };
}

/** The saved step that a preview is asked of: the edited one's own, or a push that is saved where that one isn't yet. */
export function previewedStep(own: string | undefined, saved: readonly { _id: string; type: string }[]): string | undefined {
  return own ?? saved.find((one) => one.type === "push")?._id;
}
