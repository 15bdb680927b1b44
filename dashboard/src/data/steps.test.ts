import { expect, test } from "vitest";
import { firstControls, previewedStep, STEP_KINDS, summary, untouched, withControl } from "./steps";

test.each([
  ["push", { subject: "Hi", body: "there" }, "Hi"],
  ["delay", { type: "regular", amount: 5, unit: "minutes" }, "5 minutes"],
  ["digest", { type: "timed", cron: "0 9 * * 1" }, "0 9 * * 1"],
  ["throttle", { amount: 1, unit: "hours", threshold: 3 }, "3 / 1 hours"],
  ["http_request", { method: "POST", url: "https://a.example" }, "POST https://a.example"],
])("a %s step reads in a line", (kind, controls, line) => expect(summary(kind, controls)).toBe(line));
test.each(STEP_KINDS)("a new %s step has controls of its own", (kind) => expect(firstControls(kind)).not.toBe(firstControls(kind)));
test("what is emptied is left out", () => expect(withControl({ a: 1, b: 2 }, "a", "")).toEqual({ b: 2 }));
test("nothing and no are not the same", () => expect(withControl({}, "silent", false)).toEqual({ silent: false }));

const SAVED = [{ _id: "wait", type: "delay" }, { _id: "first", type: "push" }, { _id: "second", type: "push" }];
test("the second push is previewed as the second", () => expect(previewedStep("second", SAVED)).toBe("second"));
test("a push that isn't saved is previewed through one that is", () => expect(previewedStep(undefined, SAVED)).toBe("first"));
test("nothing saved, nothing to ask of", () => expect(previewedStep(undefined, [])).toBeUndefined());
test("a new step is untouched until something on it changes", () => {
  expect(untouched("push", firstControls("push"))).toBe(true);
  expect(untouched("push", { ...firstControls("push"), body: "Hi" })).toBe(false);
});
