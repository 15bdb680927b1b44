/** The steps of a workflow: a canvas to find one's way, the chosen step beside it. */
import { Grid, Stack } from "@mantine/core";
import { IconPointer } from "@tabler/icons-react";
import { useState } from "react";
import { fieldErrors } from "../../data/client";
import { Empty } from "../../parts/states";
import { workflowText } from "../../text/workflows";
import { Canvas } from "./Canvas";
import type { Editing, Workflow } from "./draft";
import { StepEditor } from "./StepEditor";

const words = workflowText.step;

interface StepsProps {
  workflow: Workflow;
  editing: Editing;
  errors: Error | null;
}

export default function Steps({ workflow, editing, errors }: StepsProps) {
  const [chosen, setChosen] = useState<string | null>(editing.draft.steps[0]?.key ?? null);
  const { steps } = editing.draft;
  const at = steps.findIndex((one) => one.key === chosen || one._id === chosen);
  const step = steps[at];
  const issues = new Map(workflow.steps.map((one) => [one._id, Object.values(one.issues.controls).flat().length]));
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, md: 4, lg: 3.5 }}>
        <Canvas
          steps={steps}
          chosen={step?.key ?? null}
          issues={issues}
          choose={setChosen}
          add={(place, kind) => setChosen(editing.addStep(place, kind))}
        />
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 8, lg: 8.5 }}>
        {step ? (
          <StepEditor key={step.key} workflow={workflow} editing={editing} step={step} at={at} errors={errorsOf(errors, at)} />
        ) : (
          <Stack>
            <Empty icon={IconPointer} title={words.choose} help={words.chooseHelp} />
          </Stack>
        )}
      </Grid.Col>
    </Grid>
  );
}

/** What saving said of one step, by control. */
function errorsOf(error: Error | null, at: number): Record<string, string> {
  const prefix = `steps.${at}.controlValues.`;
  return Object.fromEntries(
    Object.entries(fieldErrors(error))
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, message]) => [name.slice(prefix.length), message]),
  );
}
