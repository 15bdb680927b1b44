import { expect, test } from "vitest";
import { limitOf } from "./limits";

test.each([
  ["auditRetention", 400 * 86_400, "seconds", "400 d"],
  ["retryWindow", 3600, "seconds", "1 h"],
  ["idempotencyWindow", 0, "seconds", "Not at all"],
  ["activityRetention", null, "seconds", "For ever"],
  ["detailRetention", null, "seconds", "For ever"],
  ["triggerCalls", null, "a second", "None"],
  ["triggerCalls", 1000, "a second", "1,000 a second"],
  ["triggerSize", 512 * 1024, "bytes", "512 KiB"],
  ["bodySize", 64 * 1024 * 1024, "bytes", "64 MiB"],
  ["pageSize", 100, "items", "100"],
] as const)("%s of %s %s is told as %s", (name, value, unit, told) => expect(limitOf({ name, value, unit })).toBe(told));
