import { expect, test } from "vitest";
import { beat, STALE } from "./live";

test("nobody is told yet, so pages ask often", () => expect(beat(3000)).toBe(3000));
test("after a gap everything is asked again that any event makes stale, but what was there from the start", () => {
  const { gap = [], ...events } = STALE;
  const all = new Set(Object.values(events).flat().filter((name) => !["first", "integrations"].includes(name)));
  expect(new Set(gap)).toEqual(all);
});
