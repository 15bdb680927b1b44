import { expect, test } from "vitest";
import { LANGUAGES, sampleIn, samplePayload } from "./samples";

const sample = { url: "http://localhost:3000", workflowId: "welcome", to: "o'neil", payload: { urgent: true, gone: null, tags: ["a"] } };

test.each(LANGUAGES)("%s names the workflow and holds no key", (language) => {
  const told = sampleIn(language, sample);
  expect(told).toContain("welcome");
  expect(told).toContain("CLARION_KEY");
});
test("Python has words of its own for truths and nothing", () =>
  expect(sampleIn("python", sample)).toContain('{"urgent": True, "gone": None, "tags": ["a"]}'));
test("a quote doesn't end the shell's text", () => expect(sampleIn("bash", sample)).toContain("o'\\''neil"));
test("a sample has every key that the schema names", () =>
  expect(samplePayload({ type: "object", properties: { order: { type: "object", properties: { id: { type: "string" } } }, note: { type: "string" } } })).toEqual({
    order: { id: "id" },
    note: "note",
  }));
