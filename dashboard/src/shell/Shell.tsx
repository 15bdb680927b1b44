import { ActionIcon, AppShell, Burger, Group, Kbd, ScrollArea, Text, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMoon, IconSearch, IconSun } from "@tabler/icons-react";
import { Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { useLive } from "../data/live";
import { useMay } from "../data/member";
import { PageLink } from "../parts/links";
import { text } from "../text";
import { AccountMenu } from "./AccountMenu";
import { Brand } from "./Brand";
import { EnvironmentSwitch } from "./EnvironmentSwitch";
import { GROUPS } from "./pages";
import { search } from "./searching";
import classes from "./Shell.module.css";

const Search = lazy(() => import("./Search"));

/** The frame: header, navigation and the page. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const may = useMay();
  useLive();
  useEffect(close, [pathname, close]);
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 228, breakpoint: "md", collapsed: { mobile: !opened } }} padding={{ base: "md", sm: "xl" }}>
      <a href="#page" className={classes.skip}>
        {text.skip}
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label={text.menu} aria-expanded={opened} />
            <Brand />
            <EnvironmentSwitch />
          </Group>
          <Group gap={4} wrap="nowrap">
            <SearchButton />
            <SchemeButton />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label={text.navigation}>
        <ScrollArea type="scroll">
          {GROUPS.map((group) => (
            <div key={group.label} className={classes.group}>
              {group.label && <Text className={classes.label}>{group.label}</Text>}
              {group.pages.filter((page) => may(page.role)).map(({ to, label, icon: Icon }) => (
                <PageLink
                  key={to}
                  to={to}
                  label={label}
                  leftSection={<Icon size={17} stroke={1.6} aria-hidden />}
                  active={pathname === to || pathname.startsWith(`${to}/`)}
                  className={classes.link}
                />
              ))}
            </div>
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} className={classes.main}>
        <Outlet />
      </AppShell.Main>
      <Suspense>
        <Search />
      </Suspense>
    </AppShell>
  );
}

function SearchButton() {
  return (
    <>
      <UnstyledButton className={classes.search} onClick={search.open} visibleFrom="xs">
        <IconSearch size={15} stroke={1.8} aria-hidden />
        <Text size="sm" component="span">
          {text.search.action}
        </Text>
        <Kbd size="xs" aria-hidden>
          Ctrl K
        </Kbd>
      </UnstyledButton>
      <ActionIcon variant="subtle" color="gray" size="lg" hiddenFrom="xs" onClick={search.open} aria-label={text.search.action}>
        <IconSearch size={18} stroke={1.6} />
      </ActionIcon>
    </>
  );
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const next = useComputedColorScheme("light") === "dark" ? "light" : "dark";
  return (
    <Tooltip label={text.theme[next]}>
      <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => setColorScheme(next)} aria-label={text.theme[next]}>
        {next === "light" ? <IconSun size={18} stroke={1.6} /> : <IconMoon size={18} stroke={1.6} />}
      </ActionIcon>
    </Tooltip>
  );
}
