/** Mantine's components as links of the router. */
import { ActionIcon, Anchor, Button, NavLink, UnstyledButton, type ActionIconProps, type AnchorProps, type ButtonProps, type NavLinkProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";

type Native<P> = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof P> & { ref?: Ref<HTMLAnchorElement> };

export const TextLink = createLink((props: AnchorProps & Native<AnchorProps>) => <Anchor {...props} />);
export const ButtonLink = createLink((props: ButtonProps & Native<ButtonProps>) => <Button component="a" {...props} />);
export const IconLink = createLink((props: ActionIconProps & Native<ActionIconProps>) => <ActionIcon component="a" {...props} />);
export const PlainLink = createLink((props: { children?: ReactNode; className?: string } & Native<object>) => (
  <UnstyledButton component="a" {...props} />
));
export const PageLink = createLink((props: NavLinkProps & Native<NavLinkProps>) => <NavLink component="a" {...props} />);
