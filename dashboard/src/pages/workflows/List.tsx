import { Badge, Group, Modal, MultiSelect, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconRoute } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, fieldErrors, told, type Schemas } from "../../data/client";
import { useEnvironment } from "../../data/environments";
import { firstControls } from "../../data/steps";
import { Button } from "../../parts/acts";
import { ChangeForm } from "../../parts/ChangeForm";
import { TextLink } from "../../parts/links";
import { Filters, Listing, SearchField } from "../../parts/ListControls";
import { Pager } from "../../parts/Pager";
import { Empty, Heading, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { When } from "../../parts/When";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";

const words = workflowText;
const AT_ONCE = 25;

export function Workflows() {
  const [search, setSearch] = useState("");
  const [tags, setTags] = useState<string[]>([]);
  const [offset, setOffset] = useState(0);
  const [sought] = useDebouncedValue(search, 200);
  const [adding, setAdding] = useState(false);
  const found = useQuery({
    queryKey: ["workflows", sought, tags, offset],
    queryFn: () =>
      told(api.GET("/v2/workflows", { params: { query: { query: sought || null, tags, offset, limit: AT_ONCE, orderBy: "updatedAt" } } })),
    placeholderData: keepPreviousData,
  });
  const anew = <T,>(set: (value: T) => void) => (value: T) => {
    set(value);
    setOffset(0);
  };
  const searching = sought !== "" || tags.length > 0;
  const add = (
    <Button needs="editor" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      {words.add}
    </Button>
  );
  return (
    <>
      <Heading title={words.title} about={words.about}>
        {add}
      </Heading>
      <Filters>
        <SearchField label={words.search} value={search} onChange={anew(setSearch)} />
        <TagFilter chosen={tags} choose={anew(setTags)} />
      </Filters>
      <Loaded query={found}>
        {({ workflows, totalCount }) =>
          workflows.length === 0 ? (
            <Empty icon={IconRoute} title={searching ? words.nothing : words.empty} help={searching ? words.nothingHelp : words.emptyHelp} />
          ) : (
            <>
              <Listing label={words.title} columns={[words.name, words.status, words.steps, words.tags, words.lastTriggered]}>
                {workflows.map((one) => (
                  <Row key={one._id} one={one} />
                ))}
              </Listing>
              <Pager
                total={`${totalCount} ${words.noun(totalCount)}`}
                {...(offset > 0 && { newer: () => setOffset(Math.max(0, offset - AT_ONCE)) })}
                {...(offset + AT_ONCE < totalCount && { older: () => setOffset(offset + AT_ONCE) })}
              />
            </>
          )
        }
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.add} closeButtonProps={{ "aria-label": text.close }}>
        <NewWorkflow />
      </Modal>
    </>
  );
}

function TagFilter({ chosen, choose }: { chosen: string[]; choose: (tags: string[]) => void }) {
  const environment = useEnvironment();
  const tags = useQuery({
    queryKey: ["workflows", "tags", environment?._id],
    queryFn: () => told(api.GET("/v2/environments/{environmentId}/tags", { params: { path: { environmentId: environment?._id ?? "" } } })),
    enabled: environment !== undefined,
  });
  if (!tags.data?.length) return null;
  return (
    <MultiSelect
      aria-label={words.tags}
      placeholder={chosen.length === 0 ? words.tags : ""}
      data={tags.data.map((one) => one.name)}
      value={chosen}
      onChange={choose}
      clearable
      miw={200}
    />
  );
}

function Row({ one }: { one: Schemas["WorkflowOverview"] }) {
  return (
    <Table.Tr>
      <Table.Td>
        <TextLink to="/workflows/$workflowId" params={{ workflowId: one.workflowId }} fw={600}>
          {one.name}
        </TextLink>
        <Text size="xs" c="dimmed">
          {one.workflowId}
        </Text>
      </Table.Td>
      <Table.Td>
        <Status status={one.status} label={words.statuses[one.status] ?? one.status} />
      </Table.Td>
      <Table.Td>
        <Text size="sm">{one.stepTypeOverviews.map((kind) => words.kinds[kind]?.[0] ?? kind).join(" → ") || text.none}</Text>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {one.tags.map((tag) => (
            <Badge key={tag} color="gray">
              {tag}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Text size="sm" component="span">
          {one.lastTriggeredAt ? <When at={one.lastTriggeredAt} /> : text.never}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

function NewWorkflow() {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [given, setGiven] = useState<string | null>(null);
  const workflowId = given ?? slugOf(name);
  const create = useChange(
    () =>
      told(
        api.POST("/v2/workflows", {
          body: { name, workflowId, active: true, steps: [{ name: "Push", type: "push", controlValues: { ...firstControls("push"), subject: name } }] },
        }),
      ),
    {
      stale: ["workflows"],
      then: (made) => void navigate({ to: "/workflows/$workflowId", params: { workflowId: made.workflowId } }),
    },
  );
  const fields = fieldErrors(create.error);
  return (
    <ChangeForm change={create} action={text.create}>
      <TextInput label={words.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fields.name} required data-autofocus />
      <TextInput
        label={words.identifier}
        description={words.identifierHelp}
        value={workflowId}
        onChange={(e) => setGiven(e.currentTarget.value)}
        error={fields.workflowId}
        required
      />
    </ChangeForm>
  );
}

function slugOf(name: string): string {
  return name.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}
