import { expect, test } from "vitest";
import { instantOf, localOf, momentOf, spanOf } from "./moments";

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

test("a field's time comes back as it was", () => expect(localOf(new Date(instantOf("2026-03-29T12:34") ?? ""))).toBe("2026-03-29T12:34"));
test.each(["", "tomorrow", undefined])("%s is no time", (given) => expect(instantOf(given)).toBeUndefined());
