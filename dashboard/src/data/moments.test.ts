import { expect, test } from "vitest";
import { momentOf, spanOf } from "./moments";

test.each([
  [40, "40 ms"],
  [5_000, "5 s"],
  [65_000, "1 min 5 s"],
  [7_200_000, "2 h"],
  [93_600_000, "1 d 2 h"],
])("%d ms is %s", (milliseconds, words) => expect(spanOf(milliseconds)).toBe(words));
test("a time of today has no date", () => {
  const now = new Date(2026, 4, 2, 12, 0, 0);
  expect(momentOf(new Date(2026, 4, 2, 9, 30, 5).toISOString(), now)).not.toMatch(/May/);
  expect(momentOf(new Date(2026, 4, 1, 9, 30, 5).toISOString(), now)).toMatch(/May/);
  expect(momentOf(new Date(2025, 4, 1, 9, 30, 5).toISOString(), now)).toMatch(/2025/);
});
