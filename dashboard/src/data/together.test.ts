import { expect, test, vi } from "vitest";
import { Refused } from "./client";
import { together } from "./together";

const refetch = vi.fn();
const there = { data: [], error: null, refetch };
const waiting = { data: undefined, error: null, refetch };
const away = { data: undefined, error: new Error("away"), refetch };
const stale = { data: [], error: new Error("away since"), refetch };
const forbidden = { data: undefined, error: new Refused(403, "not yours"), refetch };

test("everything is known once the last one is there", () => {
  expect(together([there, waiting])).toMatchObject({ known: false, error: null });
  expect(together([there, there])).toMatchObject({ known: true, error: null });
});
test("what failed isn't known, also where older data is there", () => {
  expect(together([there, waiting, away])).toMatchObject({ known: false, error: away.error });
  expect(together([there, stale])).toMatchObject({ known: false, error: stale.error });
});
test("what the viewer may not see isn't waited for", () => expect(together([there, forbidden])).toMatchObject({ known: true, error: null }));
test("only what failed is asked again", () => {
  const [good, bad] = [vi.fn(), vi.fn()];
  together([{ ...there, refetch: good }, { ...away, refetch: bad }]).retry();
  expect([good.mock.calls.length, bad.mock.calls.length]).toEqual([0, 1]);
});
