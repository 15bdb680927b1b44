/** A trigger, asked for anew for one of its recipients. */
import type { Schemas } from "./client";

type Notification = Schemas["NotificationOut"];
type Trigger = Schemas["TriggerIn"];
type Json = Record<string, unknown>;

/** The whole trigger that led to a notification, for its recipient alone and at once; `devices` narrows it to some of theirs. */
export function againOf(one: Notification, workflowId: string, devices?: readonly string[]): Trigger {
  const { actor, tenant, contextKeys } = one;
  const context = Object.fromEntries(contextKeys.map((key) => key.split(":") as [string, string]));
  return {
    name: workflowId,
    to: String(one.subscriber["subscriberId"]),
    payload: one.payload,
    overrides: { ...untimed(one.overrides ?? {}), ...(devices && { devices: [...devices] }) },
    ...(actor && { actor }),
    ...(tenant && { tenant }),
    ...(contextKeys.length > 0 && { context }),
  };
}

/** Without the time the first one began at, which is over. */
function untimed({ sendAt: _, push, ...rest }: Json): Json {
  if (typeof push !== "object" || push === null) return push === undefined ? rest : { ...rest, push };
  const { sendAt: __, ...kept } = push as Json;
  return { ...rest, push: kept };
}

/** Devices that a notification failed on and reached with none of its messages, of those that are still there: a retired one
 * would fail again. */
export function failedDevices(recipient: Schemas["RecipientExplained"], registered: readonly Schemas["DeviceOut"][]): string[] {
  const told = recipient.steps.flatMap((step) => step.devices);
  const of = (states: readonly string[]) => new Set(told.filter((one) => states.includes(one.state)).map((one) => one.deviceId));
  const [failed, others] = [of(["failed"]), of(["delivered", "pending", "waiting"])];
  return registered.filter((one) => one.status === "active" && failed.has(one.id) && !others.has(one.id)).map((one) => one.id);
}
