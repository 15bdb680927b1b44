import { Code, Text } from "@mantine/core";
import { Copy } from "../../parts/Copy";
import { text } from "../../text";

/** Something to copy elsewhere, under its name. */
export function ToPaste({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <Text size="sm" mb={4}>
        {label} <Copy value={value} label={`${text.copy} ${label}`} />
      </Text>
      <Code block tabIndex={0} role="region" aria-label={label} style={{ overflowX: "auto" }}>
        {value}
      </Code>
    </div>
  );
}
