/** Counts over time, as the overview shows them. */
import type { Schemas } from "./client";

type Outcomes = Schemas["OutcomesOut"];
export type Statistics = Schemas["StatisticsOut"];

export const COUNTS = ["delivered", "failed", "skipped", "opened", "pending", "cancelled"] as const;
export type Count = (typeof COUNTS)[number];
export type By = "outcome" | "provider" | "workflow";

/** What is counted of an integration or a workflow. What was skipped or opened is of a workflow alone. */
export const MEASURES = { outcome: [], provider: ["delivered", "failed"], workflow: ["delivered", "failed", "skipped", "opened"] } as const satisfies Record<By, readonly Count[]>;
export type Measure = (typeof MEASURES.workflow)[number];

/** Series that have no name of their own: all beyond the largest, and what belongs to nobody that is still there. No name holds a line break. */
export const OTHERS = "\nothers";
export const NOBODY = "\nnobody";

/** One point of a chart: a moment, and a number for each series. */
export type Point = Record<string, number | string> & { at: string };

const MOST_SERIES = 6;
const MOST_POINTS = 60;

export function totals(outcomes: Outcomes[]): Record<Count, number> {
  const sum = (name: Count) => outcomes.reduce((all, one) => all + (one[name] ?? 0), 0);
  return Object.fromEntries(COUNTS.map((name) => [name, sum(name)])) as Record<Count, number>;
}

/** Average and slowest way in milliseconds; null where nothing was delivered. */
export function latency(outcomes: Outcomes[]): { average: number; slowest: number } | null {
  const sent = outcomes.filter((one) => one.delivered && one.averageLatency !== undefined && one.averageLatency !== null);
  const count = sent.reduce((all, one) => all + (one.delivered ?? 0), 0);
  if (count === 0) return null;
  const took = sent.reduce((all, one) => all + (one.averageLatency ?? 0) * (one.delivered ?? 0), 0);
  return { average: took / count, slowest: Math.max(...sent.map((one) => one.slowest ?? 0)) };
}

/** The series of a chart, the largest first, and its points; a step in which nothing happened is zero. By outcome there is a
 * series a count, otherwise one of `measure` a name; what is beyond the largest is summed up as `OTHERS`. Where there are more
 * steps than anybody tells apart, some are one point. */
export function chart(statistics: Statistics, by: By, measure: Measure = "delivered"): { series: string[]; points: Point[] } {
  const pointOf = points(statistics);
  const counted = new Map<string, Map<string, number>>();
  const sizes = sizesOf(statistics.outcomes, by, measure);
  const shown = by === "outcome" ? COUNTS.filter((name) => sizes.has(name)) : largest(sizes);
  for (const one of statistics.outcomes) {
    for (const [name, number] of seriesOf(one, by, measure)) {
      const point = counted.get(pointOf.at(one.at)) ?? new Map<string, number>();
      const series = (shown as readonly string[]).includes(name) ? name : OTHERS;
      counted.set(pointOf.at(one.at), point.set(series, (point.get(series) ?? 0) + number));
    }
  }
  const drawn = pointOf.all.map((at) => ({ at, ...Object.fromEntries(shown.map((name) => [name, counted.get(at)?.get(name) ?? 0])) }));
  return { series: [...shown], points: drawn };
}

function sizesOf(outcomes: readonly Outcomes[], by: By, measure: Measure): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const one of outcomes) for (const [name, number] of seriesOf(one, by, measure)) if (number > 0) sizes.set(name, (sizes.get(name) ?? 0) + number);
  return sizes;
}

/** The names with the largest sums; where there are more than a chart shows, the last stands for all others. */
function largest(sizes: ReadonlyMap<string, number>): string[] {
  const names = [...sizes.entries()].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return names.length > MOST_SERIES ? [...names.slice(0, MOST_SERIES - 1), OTHERS] : names;
}

function seriesOf(one: Outcomes, by: By, measure: Measure): [string, number][] {
  if (by === "outcome") return COUNTS.map((name) => [name, one[name] ?? 0]);
  return [[(by === "provider" ? one.integrationIdentifier : one.workflowId) ?? NOBODY, one[measure] ?? 0]];
}

/** The moments of a chart's points, and at which of them something is drawn. */
function points({ after, before, step }: Statistics): { all: string[]; at: (moment: string) => string } {
  const first = Date.parse(after) - (Date.parse(after) % step);
  const steps = Math.ceil((Date.parse(before) - first) / step);
  const wide = step * Math.ceil(steps / MOST_POINTS);
  const nth = (place: number) => new Date(first + place * wide).toISOString();
  const all = Array.from({ length: Math.ceil((Date.parse(before) - first) / wide) }, (_, place) => nth(place));
  return { all, at: (moment) => nth(Math.floor((Date.parse(moment) - first) / wide)) };
}

/** Each name's share of messages that have a mark, of those tried; the largest first. */
export function shares(outcomes: Outcomes[], nameOf: (one: Outcomes) => string | null | undefined, mark: "failed" | "deadTokens"): { name: string; share: number; tried: number }[] {
  const found = new Map<string, { marked: number; tried: number }>();
  for (const one of outcomes) {
    const name = nameOf(one);
    const tried = (one.delivered ?? 0) + (one.failed ?? 0);
    if (!name || tried === 0) continue;
    const now = found.get(name) ?? { marked: 0, tried: 0 };
    found.set(name, { marked: now.marked + (one[mark] ?? 0), tried: now.tried + tried });
  }
  return [...found.entries()].map(([name, { marked, tried }]) => ({ name, share: marked / tried, tried })).sort((a, b) => b.share - a.share);
}

export const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)}%`;
