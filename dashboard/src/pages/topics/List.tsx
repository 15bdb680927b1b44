import { Modal, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconTags } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, fieldErrors, told, whole } from "../../data/client";
import { useCursor } from "../../data/paging";
import { Button } from "../../parts/acts";
import { ChangeForm } from "../../parts/ChangeForm";
import { TextLink } from "../../parts/links";
import { Filters, Listing, SearchField } from "../../parts/ListControls";
import { counted, Pager } from "../../parts/Pager";
import { Empty, Heading, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.topics;

export function Topics() {
  const [search, setSearch] = useState("");
  const [sought] = useDebouncedValue(search.trim(), 250);
  const [adding, setAdding] = useState(false);
  const { page, newer, older } = useCursor(["topics", sought], (place) =>
    whole(api.GET("/v2/topics", { params: { query: { limit: 25, ...place, ...(sought && { search: sought }) } } })),
  );
  return (
    <>
      <Heading title={words.title} about={words.about}>
        <Button needs="editor" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          {words.add}
        </Button>
      </Heading>
      <Filters>
        <SearchField label={words.search} value={search} onChange={setSearch} />
      </Filters>
      <Loaded query={page}>
        {(found) =>
          found.data.length === 0 ? (
            <Empty icon={IconTags} title={sought ? words.nothing : words.empty} help={sought ? words.nothingHelp : words.emptyHelp} />
          ) : (
            <>
              <Listing label={words.title} columns={[words.name, words.key, words.created]}>
                {found.data.map((one) => (
                  <Table.Tr key={one._id}>
                    <Table.Td>
                      <TextLink to="/topics/$topicKey" params={{ topicKey: one.key }} fw={600} size="sm">
                        {one.name || one.key}
                      </TextLink>
                    </Table.Td>
                    <Table.Td>
                      <Text size="sm">{one.key}</Text>
                    </Table.Td>
                    <Table.Td>
                      <Text size="sm" component="span">
                        {one.createdAt && <When at={one.createdAt} />}
                      </Text>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Listing>
              <Pager total={counted(found, words.noun)} newer={newer} older={older} />
            </>
          )
        }
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.add} closeButtonProps={{ "aria-label": text.close }}>
        <NewTopic />
      </Modal>
    </>
  );
}

function NewTopic() {
  const navigate = useNavigate();
  const [key, setKey] = useState("");
  const [name, setName] = useState("");
  const create = useChange(() => told(api.POST("/v2/topics", { body: { key, name: name || null } })), {
    stale: ["topics"],
    then: (made) => void navigate({ to: "/topics/$topicKey", params: { topicKey: made.key } }),
  });
  const fields = fieldErrors(create.error);
  return (
    <ChangeForm change={create} action={text.create}>
      <TextInput label={words.key} description={words.keyHelp} value={key} onChange={(e) => setKey(e.currentTarget.value)} error={fields["key"]} required data-autofocus />
      <TextInput label={words.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fields["name"]} />
    </ChangeForm>
  );
}
