/** What stands above a list, and the list. */
import { Card, Group, ScrollArea, Table, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./Listing.module.css";

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

/** A table in a card. The first column says what a row is; on a phone it stands above the others, beside the actions, whose
 * column is the last and has no name. */
export function Listing({ label, columns, children }: { label: string; columns: readonly string[]; children: ReactNode }) {
  return (
    <Card padding={0}>
      <ScrollArea type="auto" className={classes.frame} viewportProps={{ tabIndex: 0, role: "region", "aria-label": label }}>
        <Table highlightOnHover verticalSpacing="sm" horizontalSpacing="md" className={classes.table} style={named(columns)} data-actions={columns.at(-1) === "" || undefined}>
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

/** The names of columns for the style sheet, as strings of CSS. */
function named(columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column, at) => [`--column-${at + 1}`, JSON.stringify(column)]));
}
