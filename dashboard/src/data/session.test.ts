import { beforeEach, expect, test, vi } from "vitest";
import { credentials, session } from "./session";

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
});

test("nobody's calls carry no key", () => expect(credentials()).toEqual({ "Clarion-Client": "dashboard" }));
test("a key names its environment by itself", () => {
  session.hold("dev", "cl_sk_dev");
  expect(credentials()).toEqual({ "Clarion-Client": "dashboard", Authorization: "ApiKey cl_sk_dev" });
});
test("a member's calls name the environment", () => {
  session.choose("prod");
  expect(credentials()).toEqual({ "Clarion-Client": "dashboard", "Clarion-Environment": "prod" });
});
test("keys of several environments are held beside each other", () => {
  session.hold("dev", "a");
  session.hold("prod", "b");
  session.choose("dev");
  expect(session.key()).toBe("a");
  expect(session.held()).toEqual(["dev", "prod"]);
});
test("after the end nothing is held", () => {
  session.hold("dev", "a");
  session.end();
  expect(session.environmentId()).toBeNull();
});
