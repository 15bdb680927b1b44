/** What a dry run comes to, in numbers. */
import type { Schemas } from "./client";

/** Messages that would be sent, those that would wait for a schedule, and devices that would be left out. */
export interface Verdict {
  sent: number;
  waiting: number;
  skipped: number;
}

export function verdictOf(explanation: Schemas["Explanation"]): Verdict {
  const devices = explanation.recipients.flatMap((one) => one.steps.flatMap((step) => step.devices));
  const count = (...states: string[]) => devices.filter((one) => states.includes(one.state)).length;
  return { sent: count("would be sent"), waiting: count("waiting"), skipped: count("skipped") };
}
