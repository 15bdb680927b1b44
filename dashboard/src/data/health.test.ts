import { expect, test } from "vitest";
import { text } from "../text";
import { lastWord, refusalInWords } from "./health";

const now = Date.parse("2026-01-01T12:00:00.000Z");
const refusal = { at: "2026-01-01T11:55:00.000Z", outcome: "payload_rejected", code: "http_400", explanation: "The receiver refused it.", notificationId: "n" };

test("why it isn't asked comes before what was answered", () =>
  expect(lastWord({ explanation: "The provider is away.", lastRefusal: refusal, proven: true }, now)).toBe("The provider is away."));
test("the last refusal is told with its code, and how long ago it was", () =>
  expect(lastWord({ lastRefusal: refusal, proven: true }, now)).toBe("5 min ago: http_400: The receiver refused it."));
test("a clock that is behind tells of now", () => expect(lastWord({ lastRefusal: refusal, proven: true }, now - 3_600_000)).toContain("0 ms ago"));
test("nothing refused is nothing to tell", () => {
  expect(lastWord({ proven: true }, now)).toBe("—");
  expect(lastWord({ proven: false }, now)).toBe(text.integrations.unproven);
});
test("an answer without words is told by its kind", () =>
  expect(refusalInWords({ ...refusal, outcome: "throttled", code: "throttled", explanation: "" })).toBe(text.activity.remedies["throttled"]));
