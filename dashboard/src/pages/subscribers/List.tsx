import { Avatar, Group, Modal, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconUsers } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { memo, useState } from "react";
import { useChange } from "../../data/change";
import { api, fieldErrors, told, whole, type Schemas } from "../../data/client";
import { useCursor } from "../../data/paging";
import { Button } from "../../parts/acts";
import { ChangeForm } from "../../parts/ChangeForm";
import { TextLink } from "../../parts/links";
import { Filters, Listing, SearchField } from "../../parts/ListControls";
import { counted, Pager } from "../../parts/Pager";
import { Empty, Heading, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.subscribers;
const AT_ONCE = 25;
export type Subscriber = Schemas["SubscriberOut"];

export function nameOf(one: { firstName?: string | null; lastName?: string | null }): string {
  return [one.firstName, one.lastName].filter(Boolean).join(" ");
}

export function Subscribers() {
  const [search, setSearch] = useState("");
  const [sought] = useDebouncedValue(search.trim(), 250);
  const [adding, setAdding] = useState(false);
  const { page, newer, older } = useCursor(["subscribers", "list", sought], (place) => look(sought, place));
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
            <Empty icon={IconUsers} title={sought ? words.nothing : words.empty} help={sought ? words.nothingHelp : words.emptyHelp} />
          ) : (
            <>
              <Listing label={words.title} columns={[words.name, words.id, words.locale, words.timezone, words.created]}>
                {found.data.map((one) => (
                  <Row key={one._id} one={one} />
                ))}
              </Listing>
              <Pager total={counted(found, words.noun)} newer={newer} older={older} />
            </>
          )
        }
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.add} closeButtonProps={{ "aria-label": text.close }}>
        <NewSubscriber />
      </Modal>
    </>
  );
}

/** By name; where nobody has it, by the whole id, then by the whole e-mail. */
async function look(sought: string, place: { after?: string; before?: string }) {
  const ask = (query: object) => whole(api.GET("/v2/subscribers", { params: { query: { limit: AT_ONCE, ...place, ...query } } }));
  if (!sought) return ask({});
  if (sought.includes("@")) return ask({ email: sought });
  const named = await ask({ name: sought });
  return named.data.length > 0 || place.after || place.before ? named : ask({ subscriberId: sought });
}

const Row = memo(function Row({ one }: { one: Subscriber }) {
  const name = nameOf(one);
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap="sm" wrap="nowrap">
          <Avatar name={name || one.subscriberId} color="gray" size={30} radius="xl" aria-hidden />
          <TextLink to="/subscribers/$subscriberId" params={{ subscriberId: one.subscriberId }} fw={600} size="sm">
            {name || one.subscriberId}
          </TextLink>
        </Group>
      </Table.Td>
      <Table.Td>
        <Text size="sm">{one.subscriberId}</Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm">{one.locale ?? "—"}</Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm">{one.timezone ?? "—"}</Text>
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Text size="sm" component="span">
          <When at={one.createdAt} />
        </Text>
      </Table.Td>
    </Table.Tr>
  );
});

function NewSubscriber() {
  const navigate = useNavigate();
  const [subscriberId, setId] = useState("");
  const [firstName, setFirst] = useState("");
  const [lastName, setLast] = useState("");
  const create = useChange(
    () => told(api.POST("/v2/subscribers", { body: { subscriberId, firstName: firstName || null, lastName: lastName || null } })),
    {
      stale: ["subscribers"],
      then: (made) => void navigate({ to: "/subscribers/$subscriberId", params: { subscriberId: made.subscriberId } }),
    },
  );
  const fields = fieldErrors(create.error);
  return (
    <ChangeForm change={create} action={text.create}>
      <TextInput
        label={words.id}
        description={words.idHelp}
        value={subscriberId}
        onChange={(e) => setId(e.currentTarget.value)}
        error={fields.subscriberId}
        required
        data-autofocus
      />
      <TextInput label={words.fields.firstName} value={firstName} onChange={(e) => setFirst(e.currentTarget.value)} />
      <TextInput label={words.fields.lastName} value={lastName} onChange={(e) => setLast(e.currentTarget.value)} />
    </ChangeForm>
  );
}
