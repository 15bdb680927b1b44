import { Card, Grid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, whole } from "../../data/client";
import { readObject } from "../../data/payload";
import { samplePayload } from "../../data/samples";
import { Button } from "../../parts/acts";
import { Foretold } from "../../parts/Foretold";
import { ObjectInput } from "../../parts/Json";
import { TextLink } from "../../parts/links";
import { ChangeFailure, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { WorkflowSelect } from "../../parts/WorkflowSelect";
import { text } from "../../text";

const words = text.subscribers.why;

/** Why somebody gets a workflow's push, or doesn't: it is decided now, and nothing is sent. */
export function Why({ subscriberId }: { subscriberId: string }) {
  const [workflowId, setWorkflowId] = useState("");
  const workflow = useQuery({
    queryKey: ["workflow", workflowId],
    queryFn: () => told(api.GET("/v2/workflows/{workflowId}", { params: { path: { workflowId } } })),
    enabled: workflowId !== "",
  });
  return (
    <Stack>
      <Card maw={760}>
        <Stack>
          <Text size="sm" c="dimmed">
            {words.about}
          </Text>
          <WorkflowSelect label={words.workflow} value={workflowId} onChange={setWorkflowId} />
        </Stack>
      </Card>
      {workflowId !== "" && (
        <Loaded query={workflow}>{(found) => <Question key={found.workflowId} workflowId={found.workflowId} sample={samplePayload(found.payloadSchema)} subscriberId={subscriberId} />}</Loaded>
      )}
    </Stack>
  );
}

interface QuestionProps {
  workflowId: string;
  subscriberId: string;
  /** A payload to begin with. */
  sample: Record<string, unknown>;
}

function Question({ workflowId, subscriberId, sample }: QuestionProps) {
  const [payload, setPayload] = useState(JSON.stringify(sample, null, 2));
  const given = readObject(payload || "{}");
  const ask = useChange(() => told(api.POST("/v1/events/trigger", { body: { name: workflowId, to: subscriberId, payload: given ?? {}, dryRun: true } })));
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, md: 5 }}>
        <Card>
          <Stack>
            <LastTime workflowId={workflowId} subscriberId={subscriberId} />
            <ObjectInput label={words.payload} value={payload} onChange={setPayload} />
            {ask.error && <ChangeFailure error={ask.error} />}
            <Button needs="editor" disabled={given === null} loading={ask.isPending} onClick={() => ask.mutate()} style={{ alignSelf: "flex-start" }}>
              {words.ask}
            </Button>
          </Stack>
        </Card>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 7 }} aria-live="polite">
        {ask.data && <Foretold came={ask.data} />}
      </Grid.Col>
    </Grid>
  );
}

/** Leads to what was decided when it was last triggered for them. */
function LastTime({ workflowId, subscriberId }: { workflowId: string; subscriberId: string }) {
  const found = useQuery({
    queryKey: ["activity", "last", workflowId, subscriberId],
    queryFn: () => whole(api.GET("/v1/notifications", { params: { query: { subscriberIds: [subscriberId], templates: [workflowId], limit: 1 } } })),
  });
  return (
    <Loaded query={found}>
      {({ data: [last] }) =>
        last ? (
          <Text size="sm" component="div">
            {words.last} <When at={last.createdAt} />:{" "}
            <TextLink to="/activity/$notificationId" params={{ notificationId: last._id }} size="sm">
              {words.then}
            </TextLink>
          </Text>
        ) : (
          <Text size="sm">{words.never}</Text>
        )
      }
    </Loaded>
  );
}
