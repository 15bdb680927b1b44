import { ActionIcon, Menu, Text } from "@mantine/core";
import { IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { signOut } from "../data/leaving";
import { useMember } from "../data/member";
import { text } from "../text";

/** Who is signed in, and the way out. */
export function AccountMenu() {
  const member = useMember().data?.member;
  const navigate = useNavigate();
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={text.account.title}>
          <IconUserCircle size={20} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} truncate>
            {member ? member.name || member.email : text.account.keyHolder}
          </Text>
          {member && (
            <Text size="xs" truncate>
              {member.email} · {text.members.roles[member.role]}
            </Text>
          )}
        </Menu.Label>
        {member && (
          <Menu.Item leftSection={<IconUserCircle size={16} aria-hidden />} onClick={() => void navigate({ to: "/account" })}>
            {text.account.title}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          {text.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
