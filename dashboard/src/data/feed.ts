/** What the activity is filtered by, as it stands in the address. */
import { instantOf } from "./moments";

export interface FeedFilter {
  search?: string;
  workflow?: string;
  status?: string;
  provider?: string;
  severity?: string;
  error?: string;
  since?: string;
  from?: string;
  until?: string;
}

/** Of `since`, where `from` and `until` say which time. */
export const OWN_RANGE = "own";

const HOURS: Record<string, number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

/** The filter as the API's query. Times are counted from `now`, to the minute, so that asking again asks the same. */
export function queryOf(filter: FeedFilter, now: number) {
  const hours = HOURS[filter.since ?? ""];
  const minute = now - (now % 60_000);
  return {
    ...(filter.search && { search: filter.search }),
    ...(filter.workflow && { templates: [filter.workflow] }),
    ...(filter.status && { status: [filter.status as "sent" | "error" | "warning"] }),
    ...(filter.provider && { providerId: [filter.provider] }),
    ...(filter.severity && { severity: [filter.severity as "high" | "medium" | "low" | "none"] }),
    ...(filter.error && { error: filter.error }),
    ...(hours && { after: new Date(minute - hours * 3_600_000).toISOString() }),
    ...(filter.since === OWN_RANGE && rangeOf(filter)),
  };
}

function rangeOf({ from, until }: FeedFilter) {
  const [after, before] = [instantOf(from), instantOf(until)];
  return { ...(after && { after }), ...(before && { before }) };
}

/** The filter without what says nothing. */
export function trimmed(filter: FeedFilter): FeedFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value)) as FeedFilter;
}
