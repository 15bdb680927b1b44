import { AppShell, Burger, Button, Group, NavLink, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { session } from "./client";
import { text } from "./text";

const PAGES = [
  ["/activity", text.activity.title],
  ["/integrations", text.integrations.title],
  ["/phones", text.phones.title],
] as const;

function leave() {
  session.end();
  location.assign("/");
}

/** The frame: header, navigation and the page. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="lg">
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={text.menu} />
            <Text fw={700}>{text.product}</Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              aria-label={text.theme}
              onClick={() => setColorScheme(scheme === "dark" ? "light" : "dark")}
            >
              {scheme === "dark" ? "☀" : "☾"}
            </Button>
            <Button size="compact-sm" variant="default" onClick={leave}>
              {text.signOut}
            </Button>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm">
        {PAGES.map(([to, label]) => (
          <NavLink
            key={to}
            href={to}
            label={label}
            active={pathname === to}
            onClick={(event) => {
              event.preventDefault();
              close();
              void navigate({ to });
            }}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
