import { expect, test } from "vitest";
import { againOf, failedDevices } from "./again";
import type { Schemas } from "./client";

const notification = (more: Record<string, unknown>) => ({ subscriber: { subscriberId: "ada" }, payload: { n: 1 }, contextKeys: [], ...more }) as unknown as Schemas["NotificationOut"];
const device = (id: string, status = "active") => ({ id, status }) as Schemas["DeviceOut"];
const recipient = (...steps: Record<string, string>[]) =>
  ({ steps: steps.map((of) => ({ devices: Object.entries(of).map(([deviceId, state]) => ({ deviceId, state })) })) }) as unknown as Schemas["RecipientExplained"];

test("the whole trigger is carried", () => {
  const said = { overrides: { fcm: { data: { a: "1" } } }, actor: "grace", tenant: { identifier: "acme" } };
  const asked = againOf(notification({ ...said, contextKeys: ["app:mobile", "region:eu"] }), "welcome");
  expect(asked).toEqual({ name: "welcome", to: "ada", payload: { n: 1 }, ...said, context: { app: "mobile", region: "eu" } });
});

test("what the trigger did not say is not said again", () =>
  expect(againOf(notification({}), "welcome")).toEqual({ name: "welcome", to: "ada", payload: { n: 1 }, overrides: {} }));

test("it begins at once, however late the first one did", () =>
  expect(againOf(notification({ overrides: { sendAt: "09:00", push: { sendAt: "09:00", devices: ["a"] } } }), "w").overrides).toEqual({ push: { devices: ["a"] } }));

test("devices take the place of those that the first trigger chose", () =>
  expect(againOf(notification({ overrides: { devices: ["a", "b"], apns: { sound: "x" } } }), "w", ["b"]).overrides).toEqual({ devices: ["b"], apns: { sound: "x" } }));

test("a device that got the push is not sent to again, nor one that is retired, gone or still tried", () => {
  const told = recipient({ got: "delivered", failed: "failed", dead: "failed", gone: "failed", slow: "pending" });
  expect(failedDevices(told, [device("got"), device("failed"), device("dead", "retired"), device("slow")])).toEqual(["failed"]);
});

test("a device that a second step or integration reached has it", () =>
  expect(failedDevices(recipient({ a: "failed", b: "failed" }, { a: "delivered" }), [device("a"), device("b")])).toEqual(["b"]));
