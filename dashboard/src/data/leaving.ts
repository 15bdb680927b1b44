import { session } from "./session";

/** Sign out, and forget everything that was loaded. */
export function leave(): void {
  session.end();
  location.assign("/");
}
