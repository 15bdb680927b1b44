import { expect, test } from "vitest";
import { refusal } from "./client";
import { readObject } from "./payload";

test("an object is read", () => expect(readObject('{"a":1}')).toEqual({ a: 1 }));
test.each(["", "[]", "null", "1", "{"])("%s is no object", (given) => expect(readObject(given)).toBeNull());

test("a problem's fields are found under the names of the form", () => {
  const found = refusal(422, { message: "bad", errors: { "credentials.secretKey": { messages: ["is missing"] }, name: ["is long"] } });
  expect(found.message).toBe("bad");
  expect(found.fields).toEqual({ secretKey: "is missing", name: "is long" });
});

test("a body that says nothing leaves the status", () => expect(refusal(502, undefined).message).toBe("HTTP 502"));
