import { Badge, Button, Card, Group, PasswordInput, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told, type Schemas } from "../../data/client";
import { useMember, type SignedIn } from "../../data/member";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { Listing } from "../../parts/ListControls";
import { ChangeFailure, Empty, Heading, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.account;

/** One's own name, password and sessions. */
export function Account() {
  const member = useMember();
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Loaded query={member}>
        {(found) =>
          found ? (
            <Stack gap="lg">
              <Name found={found} />
              <Password />
              <Sessions />
            </Stack>
          ) : (
            <Empty title={words.keyHolder} help={text.members.keyHolderHelp} />
          )
        }
      </Loaded>
    </>
  );
}

function Name({ found }: { found: SignedIn }) {
  const [name, setName] = useState(found.member.name);
  const save = useChange(() => told(api.PATCH("/v1/session", { body: { name } })), { stale: ["member", "members"], said: text.saved });
  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate();
  }
  return (
    <Card maw={560} component="form" onSubmit={submit}>
      <Stack>
        <Text size="sm" c="dimmed">
          {found.member.email} · {text.members.roles[found.member.role]}
        </Text>
        <TextInput label={text.entrance.name} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fieldErrors(save.error)["name"]} />
        {save.error && <ChangeFailure error={save.error} />}
        <Button type="submit" loading={save.isPending} style={{ alignSelf: "flex-start" }}>
          {text.save}
        </Button>
      </Stack>
    </Card>
  );
}

function Password() {
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const change = useChange(() => done(api.PUT("/v1/session/password", { body: { currentPassword, newPassword } })), {
    stale: ["sessions"],
    said: words.changed,
    then: () => {
      setCurrent("");
      setNew("");
    },
  });
  const fields = fieldErrors(change.error);
  function submit(event: FormEvent) {
    event.preventDefault();
    change.mutate();
  }
  return (
    <Card maw={560} component="form" onSubmit={submit}>
      <Stack>
        <Title order={2}>{words.changePassword}</Title>
        <PasswordInput
          label={words.currentPassword}
          autoComplete="current-password"
          value={currentPassword}
          onChange={(e) => setCurrent(e.currentTarget.value)}
          error={fields["currentPassword"]}
          required
        />
        <PasswordInput
          label={words.newPassword}
          description={text.entrance.passwordHelp}
          autoComplete="new-password"
          value={newPassword}
          onChange={(e) => setNew(e.currentTarget.value)}
          error={fields["newPassword"] ?? fields["password"]}
          required
        />
        {change.error && <ChangeFailure error={change.error} />}
        <Button type="submit" loading={change.isPending} style={{ alignSelf: "flex-start" }}>
          {words.changePassword}
        </Button>
      </Stack>
    </Card>
  );
}

function Sessions() {
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: () => told(api.GET("/v1/sessions")) });
  const endOthers = useChange(() => done(api.DELETE("/v1/sessions", { params: { query: { keepCurrent: true } } })), { stale: ["sessions"], said: words.ended });
  return (
    <section aria-labelledby="sessions">
      <Group justify="space-between" mb="sm">
        <Title order={2} id="sessions">
          {words.sessions}
        </Title>
        <ConfirmButton size="compact-sm" variant="default" label={words.endOthers} title={words.endingOthers} loses={words.endLoses} change={endOthers} />
      </Group>
      <Loaded query={sessions}>
        {(found) => (
          <Listing label={words.sessions} columns={[text.details, text.members.lastSeen, ""]}>
            {found.map((one) => (
              <Table.Tr key={one._id}>
                <Table.Td>
                  <Group gap="xs">
                    <Text size="sm">{one.address}</Text>
                    {one.current && <Badge color="teal">{words.current}</Badge>}
                  </Group>
                  <Text size="xs" c="dimmed" lineClamp={1}>
                    {one.userAgent}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Text size="sm" component="span">
                    <When at={one.lastSeenAt} />
                  </Text>
                </Table.Td>
                <Table.Td ta="right">
                  {!one.current && <End one={one} />}
                </Table.Td>
              </Table.Tr>
            ))}
          </Listing>
        )}
      </Loaded>
    </section>
  );
}

function End({ one }: { one: Schemas["SessionOut"] }) {
  const params = { path: { sessionId: one._id } };
  const end = useChange(() => done(api.DELETE("/v1/sessions/{sessionId}", { params })), { stale: ["sessions"], said: words.ended });
  return <ConfirmButton size="compact-xs" variant="default" label={words.end} title={words.ending(one.address)} loses={words.endLoses} change={end} />;
}
