import { Alert, Button, Group, Menu, ActionIcon, Stack, Switch, Tabs, Text } from "@mantine/core";
import { IconArrowLeft, IconDots, IconTrash, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useBlocker, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useChange } from "../../data/change";
import { api, done, told } from "../../data/client";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { TextLink } from "../../parts/links";
import { Failure, Heading, Loaded, Waiting } from "../../parts/states";
import { text } from "../../text";
import { CodeLines } from "./CodeLines";
import { useDraft, type Workflow } from "./draft";
import { Preferences } from "./Preferences";
import { Publish } from "./Publish";
import { Settings } from "./Settings";
import { Translations } from "./Translations";
import { TriggerPanel } from "./TriggerPanel";

const Steps = lazy(() => import("./Steps"));
const words = text.workflows;
const TABS = ["steps", "trigger", "code", "preferences", "translations", "settings"] as const;

/** One workflow, edited as a whole. */
export function WorkflowEditor() {
  const { workflowId } = useParams({ strict: false }) as { workflowId: string };
  const workflow = useQuery({
    queryKey: ["workflow", workflowId],
    queryFn: () => told(api.GET("/v2/workflows/{workflowId}", { params: { path: { workflowId } } })),
  });
  return <Loaded query={workflow}>{(found) => <Editor key={found._id} workflow={found} />}</Loaded>;
}

function Editor({ workflow }: { workflow: Workflow }) {
  const editing = useDraft(workflow);
  const { draft, changed, save } = editing;
  const navigate = useNavigate();
  const { tab = "steps" } = useSearch({ strict: false }) as { tab?: string };
  useBlocker({
    shouldBlockFn: ({ current, next }) => changed && current.pathname !== next.pathname && !confirm(words.leaving),
    enableBeforeUnload: () => changed,
  });
  return (
    <>
      <Heading
        title={draft.name}
        above={
          <TextLink to="/workflows" size="sm">
            <Group gap={4} component="span" display="inline-flex">
              <IconArrowLeft size={14} aria-hidden />
              {words.back}
            </Group>
          </TextLink>
        }
      >
        {changed && (
          <>
            <Text size="sm" c="dimmed" role="status">
              {words.unsaved}
            </Text>
            <Button variant="subtle" color="gray" size="sm" onClick={editing.discard}>
              {words.discard}
            </Button>
          </>
        )}
        <Switch label={words.active} checked={draft.active} onChange={(e) => editing.change({ active: e.currentTarget.checked })} />
        <Button onClick={() => save.mutate()} disabled={!changed} loading={save.isPending}>
          {text.save}
        </Button>
        <More workflow={workflow} changed={changed} />
      </Heading>
      <Group mb="md" mt={-12}>
        <Identifier value={workflow.workflowId} />
      </Group>
      <Stack>
        {save.error && <Failure error={save.error} />}
        <Tabs
          value={tab}
          onChange={(next) => void navigate({ to: ".", search: { tab: next ?? "steps" }, replace: true })}
          keepMounted={false}
        >
          <Tabs.List mb="md" style={{ flexWrap: "nowrap", overflowX: "auto" }}>
            {TABS.map((one) => (
              <Tabs.Tab key={one} value={one}>
                {words.tabs[one]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="steps">
            <Suspense fallback={<Waiting />}>
              <Steps workflow={workflow} editing={editing} errors={save.error} />
            </Suspense>
          </Tabs.Panel>
          <Tabs.Panel value="trigger">
            <Stack>
              {changed && <Alert color="yellow">{words.trigger.unsaved}</Alert>}
              {!workflow.active && <Alert color="yellow">{words.trigger.inactive}</Alert>}
              <TriggerPanel workflow={workflow} />
            </Stack>
          </Tabs.Panel>
          <Tabs.Panel value="code">
            <CodeLines workflow={workflow} />
          </Tabs.Panel>
          <Tabs.Panel value="preferences">
            <Preferences editing={editing} />
          </Tabs.Panel>
          <Tabs.Panel value="translations">
            <Translations workflow={workflow} />
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <Settings editing={editing} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
    </>
  );
}

function More({ workflow, changed }: { workflow: Workflow; changed: boolean }) {
  const [asked, setAsked] = useState<"publish" | "remove" | null>(null);
  const navigate = useNavigate();
  const remove = useChange(
    () => done(api.DELETE("/v2/workflows/{workflowId}", { params: { path: { workflowId: workflow.workflowId } } })),
    { stale: ["workflows"], said: words.removed, then: () => void navigate({ to: "/workflows", ignoreBlocker: true }) },
  );
  const close = () => setAsked(null);
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={text.more}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUpload size={16} aria-hidden />} onClick={() => setAsked("publish")} disabled={changed}>
            {words.publish.action}
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} color="red" onClick={() => setAsked("remove")}>
            {text.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Publish workflow={workflow} opened={asked === "publish"} close={close} />
      <Confirm
        opened={asked === "remove"}
        close={close}
        title={words.removing(workflow.name)}
        loses={words.loses}
        action={text.remove}
        change={remove}
      />
    </>
  );
}
