/** Tabs that stand in the address, so that they can be linked to and found again. */
import { Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";

export interface TabEntry {
  value: string;
  label: string;
  show: () => ReactNode;
}

export function Tabbed({ tabs }: { tabs: TabEntry[] }) {
  const navigate = useNavigate();
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const value = tabs.find((one) => one.value === tab)?.value ?? tabs[0]?.value ?? "";
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (list.current) intoView(list.current);
  }, [value]);
  return (
    <Tabs
      value={value}
      onChange={(next) => void navigate({ to: ".", search: { tab: next ?? undefined }, replace: true })}
      keepMounted={false}
    >
      <Tabs.List ref={list} mb="md" style={{ flexWrap: "nowrap", overflowX: "auto", overflowY: "hidden" }}>
        {tabs.map((one) => (
          <Tabs.Tab key={one.value} value={one.value}>
            {one.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((one) => (
        <Tabs.Panel key={one.value} value={one.value}>
          {one.value === value && one.show()}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

/** The chosen tab stands in the middle of those that don't fit; the page stays where it is. */
function intoView(list: HTMLElement): void {
  const chosen = list.querySelector('[aria-selected="true"]')?.getBoundingClientRect();
  if (!chosen) return;
  const shown = list.getBoundingClientRect();
  list.scrollLeft += chosen.left + chosen.width / 2 - (shown.left + shown.width / 2);
}
