import { Group, Text } from "@mantine/core";
import { text } from "../text";

/** The name, with its mark. */
export function Brand() {
  return (
    <Group gap={8} wrap="nowrap">
      <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden>
        <rect width="24" height="24" rx="7" fill="var(--mantine-color-indigo-7)" />
        <path d="M6 10.2h3.2L15.5 6.8v10.4l-6.3-3.4H6z" fill="white" />
        <path d="M17.6 9.6a3.6 3.6 0 0 1 0 4.8" stroke="white" strokeWidth="1.5" strokeLinecap="round" fill="none" />
      </svg>
      <Text fw={700} visibleFrom="xs">
        {text.product}
      </Text>
    </Group>
  );
}
