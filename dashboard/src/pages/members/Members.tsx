import { ActionIcon, Alert, Badge, Card, Code, Group, Menu, Modal, Select, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { IconDots, IconLogout, IconTrash, IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told, type Schemas } from "../../data/client";
import { covers, ROLES, useMember, type Role } from "../../data/member";
import { Button } from "../../parts/acts";
import { ChangeForm } from "../../parts/ChangeForm";
import { Confirm } from "../../parts/Confirm";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { Copy } from "../../parts/Copy";
import { Listing } from "../../parts/ListControls";
import { ChangeFailure, Empty, Heading, Loaded } from "../../parts/states";
import { When } from "../../parts/When";
import { text } from "../../text";

const words = text.members;
type Member = Schemas["MemberOut"];

/** Who may sign in, and who is invited to. */
export function Members() {
  const own = useMember();
  const [inviting, setInviting] = useState(false);
  if (own.data === null) {
    return (
      <>
        <Heading title={words.title} about={words.about} />
        <Empty title={words.keyHolder} help={words.keyHolderHelp} />
      </>
    );
  }
  return (
    <>
      <Heading title={words.title} about={words.about}>
        <Button needs="admin" leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
          {words.invite}
        </Button>
      </Heading>
      {own.data && (
        <>
          <List own={own.data.member} />
          <Invitations />
        </>
      )}
      <Modal opened={inviting} onClose={() => setInviting(false)} title={words.invite} closeButtonProps={{ "aria-label": text.close }}>
        {own.data && <Invite own={own.data.member} />}
      </Modal>
    </>
  );
}

function rolesBelow(own: Member): { value: Role; label: string }[] {
  return ROLES.filter((role) => covers(own.role, role)).map((value) => ({ value, label: words.roles[value] ?? value }));
}

function List({ own }: { own: Member }) {
  const members = useQuery({ queryKey: ["members"], queryFn: () => told(api.GET("/v1/members")) });
  const change = useChange(
    ({ memberId, role }: { memberId: string; role: Role }) => told(api.PATCH("/v1/members/{memberId}", { params: { path: { memberId } }, body: { role } })),
    { stale: ["members", "member"], said: text.saved },
  );
  return (
    <Stack>
      {change.error && <ChangeFailure error={change.error} />}
      <Loaded query={members}>
        {(found) => (
          <Listing label={words.title} columns={[words.member, words.role, words.lastSeen, ""]}>
            {found.map((one) => (
              <Table.Tr key={one._id}>
                <Table.Td>
                  <Group gap="xs">
                    <Text size="sm" fw={600}>
                      {one.name || one.email}
                    </Text>
                    {one._id === own._id && <Badge color="gray">{words.you}</Badge>}
                  </Group>
                  <Text size="xs" c="dimmed">
                    {one.email}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Select
                    aria-label={words.roleOf(one.email)}
                    size="xs"
                    w={130}
                    data={covers(own.role, one.role) ? rolesBelow(own) : [{ value: one.role, label: words.roles[one.role] ?? one.role }]}
                    value={one.role}
                    disabled={!covers(own.role, one.role)}
                    onChange={(role) => role && role !== one.role && change.mutate({ memberId: one._id, role })}
                    allowDeselect={false}
                  />
                </Table.Td>
                <Table.Td>
                  <Text size="sm" component="span">
                    {one.lastSeenAt ? <When at={one.lastSeenAt} /> : text.never}
                  </Text>
                </Table.Td>
                <Table.Td ta="right">{covers(own.role, one.role) && <Actions one={one} />}</Table.Td>
              </Table.Tr>
            ))}
          </Listing>
        )}
      </Loaded>
    </Stack>
  );
}

function Actions({ one }: { one: Member }) {
  const [asking, setAsking] = useState<"remove" | "out" | null>(null);
  const close = () => setAsking(null);
  const params = { path: { memberId: one._id } };
  const remove = useChange(() => done(api.DELETE("/v1/members/{memberId}", { params })), { stale: ["members"], said: words.removed });
  const out = useChange(() => done(api.DELETE("/v1/members/{memberId}/sessions", { params })), { said: words.signedOut });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={words.actions(one.email)}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => setAsking("out")}>
            {words.signOutMember}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsking("remove")}>
            {text.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm opened={asking === "out"} close={close} title={words.signingOut(one.email)} loses={words.signingOutLoses} action={words.signOutMember} change={out} />
      <Confirm opened={asking === "remove"} close={close} title={words.removing(one.email)} loses={words.loses} action={text.remove} change={remove} />
    </>
  );
}

function Invitations() {
  const invitations = useQuery({ queryKey: ["invitations"], queryFn: () => told(api.GET("/v1/invitations")) });
  return (
    <section aria-labelledby="invited">
      <Title order={2} mt="xl" mb="sm" id="invited">
        {words.invited}
      </Title>
      <Loaded query={invitations}>
        {(found) =>
          found.length === 0 ? (
            <Text size="sm" c="dimmed">
              {words.noInvitations}
            </Text>
          ) : (
            <Listing label={words.invited} columns={[words.member, words.role, words.by, words.expires, ""]}>
              {found.map((one) => (
                <Table.Tr key={one._id}>
                  <Table.Td>{one.email}</Table.Td>
                  <Table.Td>{words.roles[one.role]}</Table.Td>
                  <Table.Td>{one.invitedBy}</Table.Td>
                  <Table.Td>
                    <When at={one.expiresAt} />
                  </Table.Td>
                  <Table.Td ta="right">
                    <Withdraw one={one} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Listing>
          )
        }
      </Loaded>
    </section>
  );
}

function Withdraw({ one }: { one: Schemas["InvitationOut"] }) {
  const params = { path: { invitationId: one._id } };
  const withdraw = useChange(() => done(api.DELETE("/v1/invitations/{invitationId}", { params })), { stale: ["invitations"], said: words.removed });
  return (
    <ConfirmButton size="compact-xs" variant="default" label={words.withdraw} title={words.withdrawing(one.email)} loses={words.withdrawLoses} change={withdraw} />
  );
}

function Invite({ own }: { own: Member }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const invite = useChange(() => told(api.POST("/v1/invitations", { body: { email, role } })), { stale: ["invitations"] });
  const fields = fieldErrors(invite.error);
  if (invite.data) {
    return (
      <Alert color="teal" role="status">
        <Stack gap="xs">
          <Text size="sm">{words.link}</Text>
          <Card padding="xs">
            <Group wrap="nowrap" gap="xs">
              <Code style={{ overflowWrap: "anywhere" }}>{invite.data.link}</Code>
              <Copy value={invite.data.link} />
            </Group>
          </Card>
        </Stack>
      </Alert>
    );
  }
  return (
    <ChangeForm change={invite} action={words.inviteAction}>
      <TextInput label={text.entrance.email} type="email" value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={fields["email"]} required data-autofocus />
      <Select
        label={words.role}
        description={words.rolesHelp[role]}
        data={rolesBelow(own)}
        value={role}
        onChange={(value) => value && setRole(value as Role)}
        allowDeselect={false}
      />
    </ChangeForm>
  );
}
