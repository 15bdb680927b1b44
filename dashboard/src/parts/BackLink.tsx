import { Group } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { TextLink } from "./links";

/** Leads from one thing back to the list of them. */
export function BackLink({ to, label }: { to: string; label: string }) {
  return (
    <TextLink to={to} size="sm">
      <Group gap={4} component="span" display="inline-flex">
        <IconArrowLeft size={14} aria-hidden />
        {label}
      </Group>
    </TextLink>
  );
}
