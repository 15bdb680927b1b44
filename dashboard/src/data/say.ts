import { notifications } from "@mantine/notifications";
import { text } from "../text";

/** A word about something that is done; it goes by itself. */
export function say(message: string): void {
  notifications.show({ message, color: "teal", closeButtonProps: { "aria-label": text.close } });
}

/** A word about something that went wrong and has no place of its own on the page; it stays until it is closed. */
export function complain(title: string, error: Error): void {
  notifications.show({ title, message: error.message, color: "red", autoClose: false, closeButtonProps: { "aria-label": text.close } });
}
