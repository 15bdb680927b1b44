import { Card, Grid, Group, Stack, Text, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, Refused, told, type Schemas } from "../../data/client";
import { readObject } from "../../data/payload";
import { samplePayload } from "../../data/samples";
import { Button } from "../../parts/acts";
import { Identifier } from "../../parts/Copy";
import { Explained } from "../../parts/Explained";
import { Foretold } from "../../parts/Foretold";
import { ObjectInput } from "../../parts/Json";
import { ChangeFailure, Failure } from "../../parts/states";
import { SubscriberSelect } from "../../parts/SubscriberSelect";
import { workflowText } from "../../text/workflows";
import type { Workflow } from "./draft";

const words = workflowText.trigger;

/** Runs a workflow for one subscriber, for real or dry, and follows it. */
export function TriggerPanel({ workflow }: { workflow: Workflow }) {
  const [to, setTo] = useState("");
  const [payload, setPayload] = useState(JSON.stringify(samplePayload(workflow.payloadSchema), null, 2));
  const [overrides, setOverrides] = useState("");
  const given = readObject(payload || "{}");
  const over = overrides.trim() === "" ? {} : readObject(overrides);
  const run = useChange((dryRun: boolean) =>
    told(api.POST("/v1/events/trigger", { body: { name: workflow.workflowId, to, payload: given ?? {}, overrides: over ?? {}, dryRun } })),
  );
  const ready = to !== "" && given !== null && over !== null;
  const came = run.data;
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, md: 5 }}>
        <Card>
          <Stack>
            <Text size="sm" c="dimmed">
              {words.about}
            </Text>
            <SubscriberSelect label={words.to} value={to} onChange={setTo} required />
            <ObjectInput label={words.payload} value={payload} onChange={setPayload} />
            <ObjectInput label={words.overrides} description={words.overridesHelp} value={overrides} onChange={setOverrides} />
            {run.error && <ChangeFailure error={run.error} />}
            <Group>
              <Button needs="editor" disabled={!ready} loading={run.isPending && !run.variables} onClick={() => run.mutate(false)}>
                {words.run}
              </Button>
              <Tooltip label={words.dryHelp}>
                <Button needs="editor" variant="default" disabled={!ready} loading={run.isPending && run.variables} onClick={() => run.mutate(true)}>
                  {words.dry}
                </Button>
              </Tooltip>
            </Group>
          </Stack>
        </Card>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 7 }} aria-live="polite">
        {came && (came.dryRun || came.status !== "processed") && <Foretold came={came} />}
        {came && !came.dryRun && came.status === "processed" && <Followed key={came.transactionId} transactionId={came.transactionId} />}
      </Grid.Col>
    </Grid>
  );
}

const UNSETTLED = new Set(["waiting", "pending"]);

function settled(found: Schemas["Explanation"]): boolean {
  return found.recipients.length > 0 && found.recipients.every((one) => !one.waiting && one.steps.every((step) => step.devices.every((device) => !UNSETTLED.has(device.state))));
}

/** A trigger's explanation, asked for again until everything has its outcome. */
function Followed({ transactionId }: { transactionId: string }) {
  const found = useQuery({
    queryKey: ["explain", transactionId],
    queryFn: () => told(api.GET("/v1/explain", { params: { query: { transactionId } } })),
    refetchInterval: (query) => (query.state.data && settled(query.state.data) ? false : 700),
    retry: (count, error) => error instanceof Refused && error.status === 404 && count < 20,
    retryDelay: 400,
  });
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Text size="sm" c="dimmed">
          {words.transaction}
        </Text>
        <Identifier value={transactionId} />
      </Group>
      {found.data ? <Explained explanation={found.data} /> : found.error ? <Failure error={found.error} /> : <Text c="dimmed">{words.notYet}</Text>}
    </Stack>
  );
}
