/** What happens, while it happens: the live feed makes stale what a page shows. Without it pages ask again by themselves. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { useEnvironment } from "./environments";
import { useMember } from "./member";

/** How the feed stands; a key has none. Offline is a feed that ended: it is opened anew after a while. */
export type FeedState = "none" | "connecting" | "live" | "reconnecting" | "offline";

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
const ANEW = 10_000;
const CLOSED = 2; // as EventSource.CLOSED says

/** How the feed stands now, and who wants to know when that changes. */
export const feed = {
  state: "none" as FeedState,
  listeners: new Set<() => void>(),
  turn(state: FeedState): void {
    feed.state = state;
    feed.listeners.forEach((listener) => listener());
  },
  listen(listener: () => void): () => void {
    feed.listeners.add(listener);
    return () => feed.listeners.delete(listener);
  },
};

/** How often a page asks again by itself: seldom while it is told what happens. */
export function beat(milliseconds: number): number {
  return feed.state === "live" ? milliseconds * SLOWER : milliseconds;
}

/** What an error of the feed comes to: the browser tries again by itself, unless it was answered with a refusal. */
export function stateAfterError(readyState: number): FeedState {
  return readyState === CLOSED ? "offline" : "reconnecting";
}

export function useFeedState(): FeedState {
  return useSyncExternalStore(feed.listen, () => feed.state);
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
    const happened = (event: string) => {
      STALE[event]?.forEach((name) => stale.add(name));
      waiting ??= setTimeout(refresh, PATIENCE);
    };
    const leave = follow(`/v1/live?environmentId=${encodeURIComponent(environmentId)}`, happened);
    return () => {
      clearTimeout(waiting);
      leave();
    };
  }, [queries, member, environmentId]);
}

/** Listens to a feed, and says how it stands, until it is left. One that ended missed what happened before the next. */
export function follow(address: string, happened: (event: string) => void): () => void {
  let again: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource;
  const open = () => {
    source = new EventSource(address);
    source.onopen = () => {
      if (feed.state === "offline") happened("gap");
      feed.turn("live");
    };
    source.onerror = () => {
      feed.turn(stateAfterError(source.readyState));
      if (feed.state === "offline") again = setTimeout(open, ANEW);
    };
    for (const event of Object.keys(STALE)) source.addEventListener(event, () => happened(event));
  };
  feed.turn("connecting");
  open();
  return () => {
    clearTimeout(again);
    source.close();
    feed.turn("none");
  };
}
