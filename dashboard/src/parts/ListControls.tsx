/** What stands above a list, and the list as a table that scrolls by itself on a phone. */
import { Card, Group, ScrollArea, Table, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";

export function Filters({ children }: { children: ReactNode }) {
  return (
    <Group mb="md" gap="sm" align="flex-end" role="search">
      {children}
    </Group>
  );
}

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function SearchField({ label, value, onChange }: SearchFieldProps) {
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      type="search"
      leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      miw={240}
      style={{ flex: 1 }}
      maw={420}
    />
  );
}

/** A table in a card. */
export function Listing({ label, columns, children }: { label: string; columns: readonly string[]; children: ReactNode }) {
  return (
    <Card padding={0}>
      <ScrollArea type="auto" viewportProps={{ tabIndex: 0, role: "region", "aria-label": label }}>
        <Table highlightOnHover verticalSpacing="sm" horizontalSpacing="md" miw={560}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column} style={{ whiteSpace: "nowrap" }}>
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>{children}</Table.Tbody>
        </Table>
      </ScrollArea>
    </Card>
  );
}
