import { expect, test } from "vitest";
import { changesOf, leaves } from "./unsaved";

const at = (pathname: string, tab?: string) => ({ pathname, search: tab === undefined ? {} : { tab } });

test.each([
  ["another page", at("/a"), at("/b"), true, true],
  ["another page of the same tab", at("/a", "profile"), at("/b", "profile"), true, true],
  ["another tab, where the work is kept", at("/a", "steps"), at("/a", "code"), true, false],
  ["another tab, where it is lost", at("/a", "profile"), at("/a", "topics"), false, true],
  ["the same place", at("/a", "profile"), at("/a", "profile"), false, false],
])("%s", (_, current, next, kept, left) => expect(leaves(current, next, kept)).toBe(left));

const step = (key: string, controls = {}) => ({ key, name: `Step ${key}`, controls });
const saved = { name: "Welcome", tags: ["a"], steps: [step("1"), step("2")] };

test("nothing changed is told as nothing", () =>
  expect(changesOf(saved, structuredClone(saved))).toEqual({ fields: [], added: [], changed: [], removed: [], moved: false }));
test("fields are named, also those that hold more than one thing", () =>
  expect(changesOf(saved, { ...saved, name: "Hello", tags: ["a", "b"] }).fields).toEqual(["name", "tags"]));
test("steps are told as changed, added and removed", () =>
  expect(changesOf(saved, { ...saved, steps: [step("1", { body: "Hi" }), step("3")] })).toMatchObject({
    changed: ["Step 1"],
    added: ["Step 3"],
    removed: ["Step 2"],
    moved: false,
  }));
test("another order of the same steps is a change", () =>
  expect(changesOf(saved, { ...saved, steps: [step("2"), step("1")] })).toMatchObject({ changed: [], moved: true }));
