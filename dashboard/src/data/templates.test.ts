import { expect, test } from "vitest";
import { completed, fitting, pathsIn, pathsOf, unfinished } from "./templates";

const schema = {
  type: "object",
  properties: { payload: { type: "object", properties: { order: { properties: { id: { type: "string" } } } } }, env: { type: "object" } },
};

test("a schema names its leaves", () => expect(pathsOf(schema)).toEqual(["payload.order.id", "env"]));
test("a sample names its values", () => expect(pathsIn({ payload: { a: 1, list: [1] }, name: "x" })).toEqual(["payload.a", "payload.list", "name"]));
test("a word after two braces is unfinished", () => expect(unfinished("Hi {{ subscriber.fi", 19)).toEqual({ from: 6, word: "subscriber.fi" }));
test.each(["Hi {", "Hi {{a}} b", "Hi {{a | up"])("%s asks for no variable", (text) => expect(unfinished(text, text.length)).toBeNull());
test("names that begin with the word come first", () =>
  expect(fitting(["payload.name", "name", "subscriber.firstName"], "name")).toEqual(["name", "payload.name", "subscriber.firstName"]));
test("a completed variable is closed", () => expect(completed("Hi {{subs!", 9, "subscriber.firstName")).toEqual({ text: "Hi {{subscriber.firstName}}!", caret: 27 }));
test("one that is closed already is not closed twice", () => expect(completed("Hi {{s}}", 6, "step").text).toBe("Hi {{step}}"));
test("a name may be put anywhere", () => expect(completed("Hi ", 3, "env.KEY").text).toBe("Hi {{env.KEY}}"));
