import { expect, test } from "vitest";
import { differences, shown } from "./differences";

test("nested fields are told by their path, those that stay are not", () => {
  const diffs = { previous: { name: "Flow", controls: { subject: "A", body: "B" } }, new: { name: "Flow", controls: { subject: "C", body: "B" } } };
  expect(differences(diffs)).toEqual([["controls.subject", "A", "C"]]);
});

test("steps are told one by one, tags together", () => {
  const steps = [{ type: "push", controls: { subject: "Hello" } }, { type: "delay", controls: {} }];
  expect(differences({ previous: {}, new: { tags: ["a", "b"], steps } })).toEqual([
    ["tags", undefined, ["a", "b"]],
    ["steps.1.type", undefined, "push"],
    ["steps.1.controls.subject", undefined, "Hello"],
    ["steps.2.type", undefined, "delay"],
  ]);
});

test("what isn't there and what is nothing look alike", () => {
  expect(differences({ previous: {}, new: { payloadSchema: null } })).toEqual([]);
  expect([shown(undefined), shown(null), shown(false), shown("")]).toEqual(["—", "—", "false", ""]);
});
