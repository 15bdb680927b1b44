import { notifications } from "@mantine/notifications";
import { text } from "../text";

/** A word about something that is done; it goes by itself. */
export function say(message: string): void {
  notifications.show({ message, color: "teal", closeButtonProps: { "aria-label": text.close } });
}
