import { CodeHighlight, CodeHighlightAdapterProvider, createHighlightJsAdapter } from "@mantine/code-highlight";
import "@mantine/code-highlight/styles.css";
import { Stack, Tabs, Text } from "@mantine/core";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import python from "highlight.js/lib/languages/python";
import typescript from "highlight.js/lib/languages/typescript";
import { LANGUAGES, sampleIn } from "../../data/samples";
import { pathsOf } from "../../data/templates";
import { text } from "../../text";
import type { Workflow } from "./draft";

hljs.registerLanguage("bash", bash);
hljs.registerLanguage("python", python);
hljs.registerLanguage("typescript", typescript);
const adapter = createHighlightJsAdapter(hljs);
const words = text.workflows.code;

/** Lines to copy that trigger the workflow. */
export function CodeLines({ workflow }: { workflow: Workflow }) {
  const sample = { url: location.origin, workflowId: workflow.workflowId, to: "subscriber-id", payload: samplePayload(workflow.payloadSchema) };
  return (
    <CodeHighlightAdapterProvider adapter={adapter}>
      <Stack maw={860}>
        <Text c="dimmed" size="sm">
          {words.about} {words.key}
        </Text>
        <Tabs defaultValue="bash" variant="pills">
          <Tabs.List mb="sm">
            {LANGUAGES.map((language) => (
              <Tabs.Tab key={language} value={language}>
                {words[language]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {LANGUAGES.map((language) => (
            <Tabs.Panel key={language} value={language}>
              <CodeHighlight code={sampleIn(language, sample)} language={language} copyLabel={text.copy} copiedLabel={text.copied} radius="md" />
            </Tabs.Panel>
          ))}
        </Tabs>
      </Stack>
    </CodeHighlightAdapterProvider>
  );
}

/** A payload with every key that the schema names. */
export function samplePayload(schema: unknown): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const path of pathsOf(schema)) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    let place = payload;
    for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
    place[last] = last;
  }
  return payload;
}
