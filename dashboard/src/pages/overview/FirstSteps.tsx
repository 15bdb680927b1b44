import { Card, Group, List, Stack, Text, ThemeIcon, Title, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconCircleDashed } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api, told, whole } from "../../data/client";
import { TextLink } from "../../parts/links";
import { text } from "../../text";
import { useStandings } from "./data";

const words = text.overview.start;

/** Leads a newcomer to the first push; gone once there was one. */
export function FirstSteps() {
  const sent = useQuery({ queryKey: ["first", "sent"], queryFn: async () => (await whole(api.GET("/v1/notifications", { params: { query: { limit: 1 } } }))).data.length > 0, refetchInterval: (query) => (query.state.data ? false : 5000) });
  const wanted = sent.data === false;
  const workflows = useQuery({ queryKey: ["workflows", "any"], queryFn: () => told(api.GET("/v2/workflows", { params: { query: { limit: 1 } } })), enabled: wanted });
  const people = useQuery({ queryKey: ["subscribers", "any"], queryFn: () => whole(api.GET("/v2/subscribers", { params: { query: { limit: 1 } } })), enabled: wanted });
  const connected = useStandings().standings.length > 0;
  if (!wanted) return null;
  const workflow = workflows.data?.workflows[0];
  const steps = [
    { words: words.integration, to: "/integrations", done: connected },
    { words: words.workflow, to: "/workflows", done: workflow !== undefined },
    { words: words.subscriber, to: "/subscribers", done: (people.data?.data.length ?? 0) > 0 },
    { words: words.trigger, to: workflow ? `/workflows/${encodeURIComponent(workflow.workflowId)}?tab=trigger` : "/workflows", done: false },
  ];
  return (
    <Card component="section" aria-labelledby="first-steps">
      <Stack gap="sm">
        <Title order={2} id="first-steps">
          {words.title}
        </Title>
        <Text size="sm" c="dimmed">
          {words.about}
        </Text>
        <List spacing="sm" center listStyleType="none">
          {steps.map((one) => (
            <List.Item
              key={one.words[0]}
              icon={
                <ThemeIcon size={26} radius="xl" variant="light" color={one.done ? "teal" : "gray"} aria-hidden>
                  {one.done ? <IconCheck size={15} /> : <IconCircleDashed size={15} />}
                </ThemeIcon>
              }
            >
              <Group gap="xs">
                <TextLink to={one.to} fw={600} size="sm">
                  {one.words[0]}
                </TextLink>
                <Text size="sm" c="dimmed">
                  {one.words[1]}
                </Text>
                {one.done && <VisuallyHidden>{words.done}</VisuallyHidden>}
              </Group>
            </List.Item>
          ))}
        </List>
      </Stack>
    </Card>
  );
}
