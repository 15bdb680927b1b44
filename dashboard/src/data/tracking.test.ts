import { expect, test, vi } from "vitest";
import { EVENTS, idLines, LINK, LINK_LINES, linkForm } from "./tracking";

test("a link's form names every event", () => expect(linkForm("https://push.example.com")).toBe("https://push.example.com/v1/track/TOKEN?event=delivered|opened|clicked|dismissed"));
test.each(Object.entries(LINK_LINES))("the lines for %s take the link from the push, and need no key", (_, lines) => {
  expect(lines).toContain(LINK);
  expect(lines).not.toContain("ApiKey");
  expect(EVENTS.some((event) => lines.includes(event))).toBe(true);
});
test("the lines with an id name the integration's address", () => expect(idLines("https://push.example.com/x")).toContain('"https://push.example.com/x"'));

test("the service worker's lines report what happens, and nothing of a push without a link", async () => {
  const heard = new Map<string, (event: unknown) => void>();
  const called = vi.fn(async () => {});
  const worker = { addEventListener: (name: string, act: (event: unknown) => void) => heard.set(name, act) };
  new Function("self", "fetch", LINK_LINES.worker)(worker, called);
  const link = "https://push.example.com/v1/track/abc";
  const waited: Promise<unknown>[] = [];
  const waitUntil = (task: Promise<unknown>) => void waited.push(task);
  heard.get("push")?.({ waitUntil, data: { json: () => ({ data: { [LINK]: link } }) } });
  heard.get("notificationclick")?.({ waitUntil, notification: { data: { [LINK]: link } } });
  heard.get("notificationclose")?.({ waitUntil, notification: { data: { [LINK]: link } } });
  heard.get("push")?.({ waitUntil, data: { json: () => ({ title: "Hello" }) } });
  await Promise.all(waited);
  const post = { method: "POST", mode: "no-cors" };
  expect(called.mock.calls).toEqual(["delivered", "clicked", "dismissed"].map((event) => [`${link}?event=${event}`, post]));
  expect(waited.length).toBe(4);
});
