/** What happens, while it happens: the live feed makes stale what a page shows. Without it pages ask again by themselves. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useEnvironment } from "./environments";
import { useMember } from "./member";

/** First words of the queries that an event makes stale; after a gap everything may have changed. */
export const STALE: Record<string, readonly string[]> = {
  messages: ["activity", "explain", "statistics", "devices"],
  notifications: ["activity", "explain", "first"],
  integration: ["health", "integrations"],
  broadcast: ["broadcasts", "broadcast"],
  changed: ["workflows", "preferences", "webhooks"],
  gap: ["activity", "explain", "statistics", "devices", "health", "broadcasts", "broadcast", "workflows", "preferences", "webhooks"],
};

const PATIENCE = 400;
const SLOWER = 10;
let connected = false;

/** How often a page asks again by itself: seldom while it is told what happens. */
export function beat(milliseconds: number): number {
  return connected ? milliseconds * SLOWER : milliseconds;
}

/** Follows the environment in use. A feed is for members: a browser can't send a key along with it. */
export function useLive(): void {
  const queries = useQueryClient();
  const member = useMember().data;
  const environmentId = useEnvironment()?._id;
  useEffect(() => {
    if (!member || !environmentId) return;
    const stale = new Set<string>();
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      waiting = undefined;
      for (const name of stale) void queries.invalidateQueries({ queryKey: [name] });
      stale.clear();
    };
    const source = new EventSource(`/v1/live?environmentId=${encodeURIComponent(environmentId)}`);
    source.onopen = () => (connected = true);
    source.onerror = () => (connected = false);
    for (const [event, names] of Object.entries(STALE)) {
      source.addEventListener(event, () => {
        names.forEach((name) => stale.add(name));
        waiting ??= setTimeout(refresh, PATIENCE);
      });
    }
    return () => {
      connected = false;
      clearTimeout(waiting);
      source.close();
    };
  }, [queries, member, environmentId]);
}
