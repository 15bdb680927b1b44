import { expect, test } from "vitest";
import { fromField, toField } from "./schedule";

test.each([
  ["12:00 AM", "00:00"],
  ["09:05 AM", "09:05"],
  ["12:30 PM", "12:30"],
  ["11:59 PM", "23:59"],
])("%s is %s in a field, and back", (api, field) => {
  expect(toField(api)).toBe(field);
  expect(fromField(field)).toBe(api);
});
test("what is no time stays", () => expect(toField("noon")).toBe("noon"));
