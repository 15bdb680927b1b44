import { Button, Group, Text } from "@mantine/core";
import { text } from "../text";

interface PagerProps {
  /** How many there are, as words; missing where nobody counts. */
  total?: string;
  newer?: () => void;
  older?: () => void;
}

/** Leads through a list; a way that isn't there is switched off. */
export function Pager({ total, newer, older }: PagerProps) {
  if (!newer && !older && !total) return null;
  const several = newer || older;
  return (
    <Group justify="space-between" mt="md">
      <Text size="sm" c="dimmed">
        {total}
      </Text>
      {several && (
      <Group gap="xs">
        <Button variant="default" size="xs" disabled={!newer} onClick={newer}>
          {text.newer}
        </Button>
        <Button variant="default" size="xs" disabled={!older} onClick={older}>
          {text.older}
        </Button>
      </Group>
      )}
    </Group>
  );
}

/** "12 subscribers", "50,000+ subscribers". */
export function counted(page: { totalCount: number; totalCountCapped: boolean }, noun: (n: number) => string): string {
  return `${page.totalCount.toLocaleString()}${page.totalCountCapped ? "+" : ""} ${noun(page.totalCount)}`;
}
