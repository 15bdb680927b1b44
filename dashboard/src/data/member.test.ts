import { expect, test } from "vitest";
import { covers } from "./member";

test.each([
  ["owner", "admin", true],
  ["editor", "editor", true],
  ["viewer", "editor", false],
] as const)("%s covers %s: %s", (role, needed, does) => expect(covers(role, needed)).toBe(does));
