import { expect, test } from "vitest";
import { groupOf, logicOf, type Group } from "./conditions";

const group: Group = {
  match: "or",
  rules: [
    { field: "payload.kind", operator: "==", value: "news" },
    { field: "payload.count", operator: ">", value: "3" },
    { field: "subscriber.data.plan", operator: "in", value: "pro, team" },
    { field: "payload.gone", operator: "null", value: "" },
    { field: "payload.id", operator: "==", value: '"42"' },
  ],
};

test("a group becomes JSON Logic", () =>
  expect(logicOf(group)).toEqual({
    or: [
      { "==": [{ var: "payload.kind" }, "news"] },
      { ">": [{ var: "payload.count" }, 3] },
      { in: [{ var: "subscriber.data.plan" }, ["pro", "team"]] },
      { null: [{ var: "payload.gone" }] },
      { "==": [{ var: "payload.id" }, "42"] },
    ],
  }));
test("and comes back as it was", () => expect(groupOf(logicOf(group))).toEqual(group));
test("a rule without a field says nothing", () => expect(logicOf({ match: "and", rules: [{ field: " ", operator: "==", value: "" }] })).toBeNull());
test("a lone rule is a group of one", () => expect(groupOf({ "==": [{ var: "payload.a" }, true] })?.rules).toHaveLength(1));
test.each([{ "+": [1, 2] }, { and: [{ or: [] }] }, { "==": [1, { var: "a" }] }, { and: {}, or: {} }, "text"])("%j stays JSON", (logic) =>
  expect(groupOf(logic)).toBeNull(),
);
