import { TextInput } from "@mantine/core";
import { text } from "../text";

interface TimeRangeProps {
  /** Times in the viewer's zone as a browser's field holds them; empty: no end. */
  from: string;
  until: string;
  change: (part: { from?: string; until?: string }) => void;
}

/** Two fields for a range of time. */
export function TimeRange({ from, until, change }: TimeRangeProps) {
  return (
    <>
      <TextInput type="datetime-local" label={text.from} value={from} onChange={(e) => change({ from: e.currentTarget.value })} />
      <TextInput type="datetime-local" label={text.until} value={until} onChange={(e) => change({ until: e.currentTarget.value })} />
    </>
  );
}
