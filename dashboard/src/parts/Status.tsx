/** What became of something, as a badge: a word and a mark beside the colour. */
import { Badge } from "@mantine/core";

type Tone = "teal" | "red" | "yellow" | "blue" | "gray";

const TONES: Record<string, Tone> = {
  completed: "teal", delivered: "teal", sent: "teal", accepted: "teal", Success: "teal", ACTIVE: "teal", active: "teal", closed: "teal",
  failed: "red", error: "red", Failed: "red", retired: "red", paused: "red", token_dead: "red", payload_rejected: "red", credentials_rejected: "red",
  skipped: "yellow", warning: "yellow", Warning: "yellow", open: "yellow", unknown: "yellow", throttled: "yellow", unavailable: "yellow", waiting: "yellow",
  running: "blue", pending: "blue", queued: "blue", delivering: "blue", expanding: "blue", Pending: "blue", delayed: "blue", "would be sent": "blue",
};

export function toneOf(status: string): Tone {
  return TONES[status] ?? "gray";
}

export function Status({ status, label }: { status: string; label?: string }) {
  return (
    <Badge color={toneOf(status)} variant="light" style={{ flexShrink: 0 }}>
      {label ?? status}
    </Badge>
  );
}
