import { api } from "./client";
import { session } from "./session";

/** Go to the sign-in, and forget everything that was loaded. */
export function leave(): void {
  session.end();
  location.assign("/");
}

/** End the session, then leave. */
export async function signOut(): Promise<void> {
  if (!session.key()) await api.DELETE("/v1/session");
  leave();
}
