/** JSON to write, and JSON to read. */
import { Code, JsonInput, type JsonInputProps } from "@mantine/core";
import { readObject } from "../data/payload";
import { text } from "../text";

/** A field for a JSON object, checked as it is written. */
export function ObjectInput({ value, onChange, ...rest }: Omit<JsonInputProps, "value" | "onChange"> & { value: string; onChange: (value: string) => void }) {
  const wrong = value.trim() !== "" && readObject(value) === null;
  return (
    <JsonInput
      autosize
      minRows={3}
      maxRows={16}
      formatOnBlur
      spellCheck={false}
      {...rest}
      value={value}
      onChange={onChange}
      error={wrong ? text.noObject : rest.error}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "var(--mantine-font-size-xs)" } }}
    />
  );
}

/** Any value, written out; text that holds JSON as that JSON. */
export function Written({ value, label }: { value: unknown; label?: string }) {
  return (
    <Code block tabIndex={0} role="region" aria-label={label ?? text.details} style={{ maxHeight: 320, overflow: "auto" }}>
      {written(value)}
    </Code>
  );
}

function written(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
