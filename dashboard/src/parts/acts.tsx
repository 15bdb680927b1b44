/** Mantine's controls, with the role that they take. Who has less finds them switched off, with a tip that names the role. */
import { ActionIcon as Icon, Button as Plain, Menu, Switch as Toggle, Tooltip } from "@mantine/core";
import type { ActionIconProps, ButtonProps, MenuItemProps, SwitchProps } from "@mantine/core";
import type { ComponentProps, MouseEvent, ReactElement } from "react";
import { useMay, type Role } from "../data/member";
import { text } from "../text";

type Needing<P> = P & Omit<ComponentProps<"button">, keyof P> & { needs?: Role };

export function Button({ needs, ...props }: Needing<ButtonProps>) {
  const off = useOff(needs);
  return off ? <Lacking needs={off}><Plain {...props} {...OFF} /></Lacking> : <Plain {...props} />;
}

export function ActionIcon({ needs, ...props }: Needing<ActionIconProps>) {
  const off = useOff(needs);
  return off ? <Lacking needs={off}><Icon {...props} {...OFF} /></Lacking> : <Icon {...props} />;
}

export function MenuItem({ needs, ...props }: Needing<MenuItemProps>) {
  const off = useOff(needs);
  return off ? <Lacking needs={off}><Menu.Item {...props} {...OFF} closeMenuOnClick={false} /></Lacking> : <Menu.Item {...props} />;
}

export function Switch({ needs, ...props }: SwitchProps & { needs?: Role }) {
  const off = useOff(needs);
  return off ? <Lacking needs={off} refProp="rootRef"><Toggle {...props} disabled /></Lacking> : <Toggle {...props} />;
}

/** The role that is lacking. */
function useOff(needs: Role | undefined): Role | null {
  const may = useMay();
  return needs === undefined || may(needs) ? null : needs;
}

/** What is disabled outright can't be reached by the keyboard, nor show a tip. */
const OFF = { disabled: false, "aria-disabled": true, "data-disabled": true, loading: false, onClick: (event: MouseEvent) => event.preventDefault() };

function Lacking({ needs, children, refProp = "ref" }: { needs: Role; children: ReactElement; refProp?: string }) {
  return (
    <Tooltip label={text.takes(text.members.roles[needs] ?? needs)} refProp={refProp} events={{ hover: true, focus: true, touch: true }}>
      {children}
    </Tooltip>
  );
}
