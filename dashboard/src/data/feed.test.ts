import { expect, test } from "vitest";
import { queryOf, trimmed } from "./feed";

const NOW = Date.UTC(2026, 0, 2, 12, 0, 42);

test("no filter asks for everything", () => expect(queryOf({}, NOW)).toEqual({}));
test("a time is counted back from this minute", () => expect(queryOf({ since: "24h" }, NOW)).toEqual({ after: "2026-01-01T12:00:00.000Z" }));
test("an own range has both ends, or one", () => {
  const [from, until] = ["2026-01-01T10:00", "2026-01-01T11:30"];
  const at = (local: string) => new Date(local).toISOString();
  expect(queryOf({ since: "own", from, until }, NOW)).toEqual({ after: at(from), before: at(until) });
  expect(queryOf({ since: "own", until }, NOW)).toEqual({ before: at(until) });
});
test("the ends of a range that isn't asked for say nothing", () => expect(queryOf({ from: "2026-01-01T10:00" }, NOW)).toEqual({}));
test("lists have one entry", () => expect(queryOf({ workflow: "w", status: "error" }, NOW)).toEqual({ templates: ["w"], status: ["error"] }));
test("what says nothing is left out of the address", () => expect(trimmed({ search: "", error: "dead" })).toEqual({ error: "dead" }));
