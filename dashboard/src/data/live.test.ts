import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { beat, feed, follow, STALE } from "./live";

test("nobody is told yet, so pages ask often", () => expect(beat(3000)).toBe(3000));
test("after a gap everything is asked again that any event makes stale, but what was there from the start", () => {
  const { gap = [], ...events } = STALE;
  const all = new Set(Object.values(events).flat().filter((name) => !["first", "integrations"].includes(name)));
  expect(new Set(gap)).toEqual(all);
});

describe("the feed", () => {
  const told: string[] = [];
  let sources: FakeSource[];

  class FakeSource {
    readyState = 0;
    onopen = () => {};
    onerror = () => {};
    heard = new Map<string, () => void>();
    constructor(readonly address: string) {
      sources.push(this);
    }
    addEventListener = (event: string, act: () => void) => void this.heard.set(event, act);
    close = () => (this.readyState = 2);
    fail(readyState: number) {
      this.readyState = readyState;
      this.onerror();
    }
  }

  beforeEach(() => {
    sources = [];
    told.length = 0;
    vi.useFakeTimers();
    vi.stubGlobal("EventSource", FakeSource);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const last = () => sources.at(-1) as FakeSource;

  test("is connecting, live, lost, live again, and none once it is left", () => {
    const seen: string[] = [];
    const deaf = feed.listen(() => seen.push(feed.state));
    const leave = follow("/v1/live", (event) => told.push(event));
    last().onopen();
    last().fail(0);
    last().onopen();
    leave();
    deaf();
    expect(seen).toEqual(["connecting", "live", "reconnecting", "live", "none"]);
    expect(told).toEqual([]);
  });
  test("makes pages ask seldom only while it is live", () => {
    const leave = follow("/v1/live", () => {});
    expect(beat(3000)).toBe(3000);
    last().onopen();
    expect(beat(3000)).toBe(30_000);
    last().fail(0);
    expect(beat(3000)).toBe(3000);
    leave();
  });
  test("that is refused is offline, and opened anew after a while, with all that was missed", () => {
    const leave = follow("/v1/live", (event) => told.push(event));
    last().onopen();
    last().fail(2);
    expect([feed.state, sources.length]).toEqual(["offline", 1]);
    vi.advanceTimersByTime(10_000);
    expect(sources.length).toBe(2);
    last().onopen();
    expect([feed.state, told]).toEqual(["live", ["gap"]]);
    last().heard.get("messages")?.();
    expect(told).toEqual(["gap", "messages"]);
    leave();
  });
  test("isn't opened anew once it is left", () => {
    const leave = follow("/v1/live", () => {});
    last().fail(2);
    leave();
    vi.advanceTimersByTime(60_000);
    expect(sources.length).toBe(1);
  });
});
