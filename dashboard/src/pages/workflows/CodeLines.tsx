import { Code, Group, Stack, Tabs, Text } from "@mantine/core";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import python from "highlight.js/lib/languages/python";
import typescript from "highlight.js/lib/languages/typescript";
import { LANGUAGES, sampleIn, samplePayload, type Language } from "../../data/samples";
import { Copy } from "../../parts/Copy";
import { workflowText } from "../../text/workflows";
import classes from "./CodeLines.module.css";
import type { Workflow } from "./draft";

hljs.registerLanguage("bash", bash);
hljs.registerLanguage("python", python);
hljs.registerLanguage("typescript", typescript);
const words = workflowText.code;

/** Lines to copy that trigger the workflow. */
export function CodeLines({ workflow }: { workflow: Workflow }) {
  const sample = { url: location.origin, workflowId: workflow.workflowId, to: "subscriber-id", payload: samplePayload(workflow.payloadSchema) };
  return (
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
              <Lines language={language} code={sampleIn(language, sample)} />
            </Tabs.Panel>
          ))}
        </Tabs>
      </Stack>
  );
}

function Lines({ language, code }: { language: Language; code: string }) {
  const colored = hljs.highlight(code, { language }).value;
  return (
    <div>
      <Group justify="flex-end">
        <Copy value={code} />
      </Group>
      <Code block tabIndex={0} role="region" aria-label={words[language]} className={classes.code} dangerouslySetInnerHTML={{ __html: colored }} />
    </div>
  );
}
