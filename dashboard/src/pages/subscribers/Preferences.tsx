import { Card, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { Switch } from "../../parts/acts";
import { TextLink } from "../../parts/links";
import { Listing } from "../../parts/ListControls";
import { ChangeFailure, Loaded } from "../../parts/states";
import { text } from "../../text";

const words = text.subscribers.preferences;

/** What a subscriber chose: for everything, and for each workflow. */
export function Preferences({ subscriberId }: { subscriberId: string }) {
  const path = { subscriberId };
  const preferences = useQuery({
    queryKey: ["preferences", subscriberId],
    queryFn: () => told(api.GET("/v2/subscribers/{subscriberId}/preferences", { params: { path, query: { criticality: "all" } } })),
  });
  const choose = useChange(
    (body: Schemas["PreferencePatch"]) => told(api.PATCH("/v2/subscribers/{subscriberId}/preferences", { params: { path }, body })),
    { stale: ["preferences"] },
  );
  return (
    <Loaded query={preferences}>
      {(found) => (
        <Stack maw={760}>
          <Text c="dimmed" size="sm">
            {words.about}
          </Text>
          {choose.error && <ChangeFailure error={choose.error} />}
          <Card>
            <Switch
              needs="editor"
              label={words.all}
              description={words.allHelp}
              checked={found.global.enabled && (found.global.channels["push"] ?? true)}
              onChange={(e) => choose.mutate({ channels: { push: e.currentTarget.checked } })}
            />
          </Card>
          {found.workflows.length === 0 ? (
            <Text c="dimmed">{words.empty}</Text>
          ) : (
            <Listing label={text.subscribers.tabs.preferences} columns={[words.workflow, words.push, words.decision]}>
              {found.workflows.map((one) => (
                <Table.Tr key={one.workflow.identifier}>
                  <Table.Td>
                    <TextLink to="/workflows/$workflowId" params={{ workflowId: one.workflow.identifier }} size="sm" fw={600}>
                      {one.workflow.name}
                    </TextLink>
                  </Table.Td>
                  <Table.Td>
                    <Switch
                      needs="editor"
                      aria-label={`${words.push}: ${one.workflow.name}`}
                      checked={one.enabled && (one.channels["push"] ?? true)}
                      onChange={(e) => choose.mutate({ workflowId: one.workflow.identifier, channels: { push: e.currentTarget.checked } })}
                    />
                  </Table.Td>
                  <Table.Td>
                    <Text size="xs" c="dimmed">
                      {words.decided[one.overrides.find((by) => by.channel === "push")?.source ?? "template"]}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Listing>
          )}
        </Stack>
      )}
    </Loaded>
  );
}
