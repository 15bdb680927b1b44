import { Badge, Group, Modal, Select, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { differences, shown } from "../../data/differences";
import { useEnvironment, useEnvironments } from "../../data/environments";
import { Button } from "../../parts/acts";
import { ChangeFailure, Loaded } from "../../parts/states";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";
import type { Workflow } from "./draft";

const words = workflowText.publish;
const TONES: Record<string, string> = { added: "teal", modified: "blue", deleted: "red", moved: "violet" };

interface PublishProps {
  workflow: Workflow;
  opened: boolean;
  close: () => void;
}

/** Takes a workflow to another environment, after showing what changes there. */
export function Publish({ workflow, opened, close }: PublishProps) {
  return (
    <Modal opened={opened} onClose={close} title={words.title(workflow.name)} size="lg" closeButtonProps={{ "aria-label": text.close }}>
      <Targets workflow={workflow} close={close} />
    </Modal>
  );
}

function Targets({ workflow, close }: { workflow: Workflow; close: () => void }) {
  const current = useEnvironment();
  const others = (useEnvironments().data ?? []).filter((one) => one._id !== current?._id);
  const [chosen, setChosen] = useState<string | null>(null);
  const target = others.find((one) => one._id === chosen) ?? others[0];
  if (!target || !current) return <Text>{words.nowhere}</Text>;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {words.about}
      </Text>
      <Select
        label={words.to}
        data={others.map((one) => ({ value: one._id, label: one.name }))}
        value={target._id}
        onChange={setChosen}
        allowDeselect={false}
      />
      <Difference key={target._id} workflow={workflow} source={current._id} target={target} close={close} />
    </Stack>
  );
}

interface DifferenceProps {
  workflow: Workflow;
  source: string;
  target: Schemas["EnvironmentOut"];
  close: () => void;
}

function Difference({ workflow, source, target, close }: DifferenceProps) {
  const path = { targetEnvironmentId: target._id };
  const diff = useQuery({
    queryKey: ["diff", workflow._id, target._id],
    queryFn: () => told(api.POST("/v2/environments/{targetEnvironmentId}/diff", { params: { path }, body: { sourceEnvironmentId: source } })),
    gcTime: 0,
  });
  const publish = useChange(
    async () => {
      const resources = [{ resourceType: "REGULAR" as const, resourceId: workflow.workflowId }];
      const body = { sourceEnvironmentId: source, resources };
      const came = await told(api.POST("/v2/environments/{targetEnvironmentId}/publish", { params: { path }, body }));
      const failed = came.results.flatMap((one) => one.failed)[0];
      if (failed) throw new Error(`${words.failed}: ${failed.error}`);
    },
    { stale: ["workflow", "workflows", "diff"], said: words.done(target.name), then: close },
  );
  return (
    <Loaded query={diff}>
      {(found) => {
        const changes = found.resources.find((one) => one.sourceResource?.id === workflow._id)?.changes.filter((one) => one.action !== "unchanged") ?? [];
        return (
          <Stack>
            {changes.length === 0 ? <Text>{words.nothing}</Text> : changes.map((change, at) => <Change key={at} change={change} />)}
            {publish.error && <ChangeFailure error={publish.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {text.cancel}
              </Button>
              <Button needs="editor" disabled={changes.length === 0} loading={publish.isPending} onClick={() => publish.mutate()}>
                {words.action}
              </Button>
            </Group>
          </Stack>
        );
      }}
    </Loaded>
  );
}

function Change({ change }: { change: Schemas["clarion.api.publishing.ChangeOut"] }) {
  const rows = differences(change.diffs);
  return (
    <div>
      <Group gap="xs" mb={4}>
        <Badge color={TONES[change.action] ?? "gray"}>{words.actions[change.action] ?? change.action}</Badge>
        <Text fw={600} size="sm">
          {change.sourceResource?.name ?? change.targetResource?.name}
        </Text>
      </Group>
      {rows.length > 0 && (
        <Table withTableBorder fz="xs" layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="32%" />
              <Table.Th>{words.before}</Table.Th>
              <Table.Th>{words.after}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([name, before, after]) => (
              <Table.Tr key={name}>
                <Table.Th style={{ overflowWrap: "anywhere" }}>{name}</Table.Th>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{shown(before)}</Table.Td>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{shown(after)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </div>
  );
}
