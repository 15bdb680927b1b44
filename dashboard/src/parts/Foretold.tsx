/** What a trigger was answered, or would come to. */
import { Alert, Stack } from "@mantine/core";
import type { Schemas } from "../data/client";
import { verdictOf } from "../data/verdict";
import { text } from "../text";
import { workflowText } from "../text/workflows";
import { Explained } from "./Explained";

const words = workflowText.trigger;

export function Foretold({ came }: { came: Schemas["TriggerOut"] }) {
  const refused = came.status !== "processed";
  return (
    <Stack>
      {refused && <Alert color="yellow">{text.phones.statuses[came.status] ?? came.error?.join("; ") ?? came.status}</Alert>}
      {came.dryRun && !refused && <Verdict explanation={came.dryRun} />}
      {came.dryRun && <Explained explanation={came.dryRun} />}
    </Stack>
  );
}

function Verdict({ explanation }: { explanation: Schemas["Explanation"] }) {
  const verdict = verdictOf(explanation);
  return (
    <Alert color={verdict.sent > 0 ? "teal" : "yellow"} role="status">
      {words.verdict(verdict)}
    </Alert>
  );
}
