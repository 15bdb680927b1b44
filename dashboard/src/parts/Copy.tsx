import { ActionIcon, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { text } from "../text";

/** A button that copies a text. */
export function Copy({ value, label = text.copy }: { value: string; label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? text.copied : label}>
          <ActionIcon variant="subtle" color={copied ? "teal" : "gray"} size="sm" onClick={copy} aria-label={label}>
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A name for programs, to be copied. */
export function Identifier({ value }: { value: string }) {
  return (
    <Group gap={2} wrap="nowrap" miw={0} maw="100%" display="inline-flex">
      <Code style={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>{value}</Code>
      <Copy value={value} label={`${text.copy} ${value}`} />
    </Group>
  );
}
