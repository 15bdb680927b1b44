import { Alert, Group, Menu, ActionIcon, Stack, Text } from "@mantine/core";
import { IconDots, IconTrash, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useChange } from "../../data/change";
import { api, done, told } from "../../data/client";
import { Button, MenuItem, Switch } from "../../parts/acts";
import { BackLink } from "../../parts/BackLink";
import { Ask, Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { Leaving } from "../../parts/Leaving";
import { ChangeFailure, Heading, Loaded, Waiting } from "../../parts/states";
import { Tabbed } from "../../parts/Tabbed";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";
import { CodeLines } from "./CodeLines";
import { useDraft, type Editing, type Workflow } from "./draft";
import { Preferences } from "./Preferences";
import { Publish } from "./Publish";
import { Settings } from "./Settings";
import { Translations } from "./Translations";
import { TriggerPanel } from "./TriggerPanel";

const Steps = lazy(() => import("./Steps"));
const words = workflowText;

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
  return (
    <>
      <Heading
        title={draft.name}
        above={<BackLink to="/workflows" label={words.back} />}
      >
        {changed && (
          <>
            <Text size="sm" c="dimmed" role="status">
              {words.unsaved}
            </Text>
            <Discard editing={editing} />
          </>
        )}
        <Switch needs="editor" label={words.active} checked={draft.active} onChange={(e) => editing.change({ active: e.currentTarget.checked })} />
        <Button needs="editor" onClick={() => save.mutate()} disabled={!changed} loading={save.isPending}>
          {text.save}
        </Button>
        <More workflow={workflow} changed={changed} />
      </Heading>
      <Leaving changed={changed} loses={words.losing(editing.changes)} keptInTabs />
      <Group mb="md" mt={-12}>
        <Identifier value={workflow.workflowId} />
      </Group>
      <Stack>
        {save.error && <ChangeFailure error={save.error} />}
        <Tabbed
          tabs={[
            {
              value: "steps",
              label: words.tabs.steps,
              show: () => (
                <Suspense fallback={<Waiting />}>
                  <Steps workflow={workflow} editing={editing} errors={save.error} />
                </Suspense>
              ),
            },
            { value: "trigger", label: words.tabs.trigger, show: () => <Trial workflow={workflow} changed={changed} /> },
            { value: "code", label: words.tabs.code, show: () => <CodeLines workflow={workflow} /> },
            { value: "preferences", label: words.tabs.preferences, show: () => <Preferences editing={editing} /> },
            { value: "translations", label: words.tabs.translations, show: () => <Translations workflow={workflow} /> },
            { value: "settings", label: words.tabs.settings, show: () => <Settings editing={editing} /> },
          ]}
        />
      </Stack>
    </>
  );
}

function Discard({ editing }: { editing: Editing }) {
  const [asking, setAsking] = useState(false);
  function discard() {
    editing.discard();
    setAsking(false);
  }
  return (
    <>
      <Button variant="subtle" color="gray" size="sm" onClick={() => setAsking(true)}>
        {words.discard}
      </Button>
      <Ask
        opened={asking}
        close={() => setAsking(false)}
        title={words.discarding}
        loses={words.losing(editing.changes)}
        action={words.discard}
        act={discard}
      />
    </>
  );
}

function Trial({ workflow, changed }: { workflow: Workflow; changed: boolean }) {
  return (
    <Stack>
      {changed && <Alert color="yellow">{words.trigger.unsaved}</Alert>}
      {!workflow.active && <Alert color="yellow">{words.trigger.inactive}</Alert>}
      <TriggerPanel workflow={workflow} />
    </Stack>
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
          <MenuItem needs="editor" leftSection={<IconUpload size={16} aria-hidden />} onClick={() => setAsked("publish")} disabled={changed}>
            {words.publish.action}
          </MenuItem>
          <MenuItem needs="editor" leftSection={<IconTrash size={16} aria-hidden />} color="red" onClick={() => setAsked("remove")}>
            {text.remove}
          </MenuItem>
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
