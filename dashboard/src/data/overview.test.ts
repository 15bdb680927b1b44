import { expect, test } from "vitest";
import { chart, latency, OTHERS, percent, shares, totals, type Statistics } from "./overview";

const HOUR = 3_600_000;
const statistics: Statistics = {
  after: "2026-01-01T00:30:00.000Z",
  before: "2026-01-01T03:00:00.000Z",
  step: HOUR,
  outcomes: [
    { at: "2026-01-01T01:00:00.000Z", integrationIdentifier: "fcm", workflowId: "a", delivered: 3, failed: 1, deadTokens: 1, averageLatency: 100, slowest: 200 },
    { at: "2026-01-01T01:00:00.000Z", integrationIdentifier: "apns", workflowId: "b", delivered: 1, averageLatency: 500, slowest: 500 },
    { at: "2026-01-01T02:00:00.000Z", workflowId: "a", skipped: 2, opened: 1 },
  ],
};

test("everything is counted", () =>
  expect(totals(statistics.outcomes)).toEqual({ delivered: 4, failed: 1, skipped: 2, opened: 1, pending: 0, cancelled: 0 }));
test("latency weighs each message the same", () => expect(latency(statistics.outcomes)).toEqual({ average: 200, slowest: 500 }));
test("nothing delivered has no latency", () => expect(latency([])).toBeNull());
test("a chart has a point for each step, also where nothing happened", () => {
  const { series, points } = chart(statistics, "outcome");
  expect(series).toEqual(["delivered", "failed", "skipped", "opened"]);
  expect(points.map((one) => one["delivered"])).toEqual([0, 4, 0]);
});
test("a chart of many steps has few points, and says the same", () => {
  const week = { ...statistics, after: "2025-12-26T00:00:00.000Z", before: "2026-01-02T00:00:00.000Z" };
  const { points } = chart(week, "outcome");
  expect(points.length).toBe(56);
  expect(points.filter((one) => one["delivered"]).map((one) => [one.at, one["delivered"]])).toEqual([["2026-01-01T00:00:00.000Z", 4]]);
});
test.each([
  ["delivered", ["a", "b"], [3, 0]],
  ["failed", ["a"], [1, 0]],
  ["skipped", ["a"], [0, 2]],
  ["opened", ["a"], [0, 1]],
] as const)("by workflow what was %s is shown alone", (measure, series, ofA) => {
  const drawn = chart(statistics, "workflow", measure);
  expect(drawn.series).toEqual(series);
  expect(drawn.points.slice(1).map((one) => one["a"])).toEqual(ofA);
});
test("what is beyond the largest is summed up, and nothing is left out", () => {
  const outcomes = Array.from({ length: 9 }, (_, at) => ({ at: "2026-01-01T01:00:00.000Z", workflowId: `w${at}`, delivered: at + 1 }));
  const { series, points } = chart({ ...statistics, outcomes }, "workflow");
  expect(series).toEqual(["w8", "w7", "w6", "w5", "w4", OTHERS]);
  expect(points[1]?.[OTHERS]).toBe(4 + 3 + 2 + 1);
});
test("as many as a chart shows have no others", () => {
  const outcomes = Array.from({ length: 6 }, (_, at) => ({ at: "2026-01-01T01:00:00.000Z", workflowId: `w${at}`, delivered: 1 }));
  expect(chart({ ...statistics, outcomes }, "workflow").series).not.toContain(OTHERS);
});
test("by provider the busiest comes first", () => expect(chart(statistics, "provider").series).toEqual(["fcm", "apns"]));
test("a share is of what was tried", () => {
  expect(shares(statistics.outcomes, (one) => one.integrationIdentifier, "deadTokens")[0]).toEqual({ name: "fcm", share: 0.25, tried: 4 });
});
test.each([
  [0, "0%"],
  [0.042, "4.2%"],
  [0.5, "50%"],
])("%d is %s", (share, words) => expect(percent(share)).toBe(words));
