/** The typed API client. Everything the dashboard does goes through it, with the key of one environment. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const SLOT = "clarion-key";

/** The key signed in with; kept for this tab only. */
export const session = {
  key: (): string | null => sessionStorage.getItem(SLOT),
  start: (key: string): void => sessionStorage.setItem(SLOT, key),
  end: (): void => sessionStorage.removeItem(SLOT),
};

export const api = createClient<paths>({ baseUrl: "/" });

api.use({
  onRequest({ request }) {
    const key = session.key();
    if (key) request.headers.set("Authorization", `ApiKey ${key}`);
    return request;
  },
});

/** What the API refused with: the message, and messages by field where it named fields. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: Record<string, string> = {},
  ) {
    super(message);
  }
}

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The `data` of an answer, or Refused. */
export async function told<T>(call: Promise<Answered<{ data: T }>>): Promise<T> {
  const answer = await call;
  if (answer.data === undefined) throw refusal(answer.response.status, answer.error);
  return answer.data.data;
}

/** For answers without `data`: the whole body, which may be empty. */
export async function whole<T>(call: Promise<Answered<T>>): Promise<T | undefined> {
  const answer = await call;
  if (!answer.response.ok) throw refusal(answer.response.status, answer.error);
  return answer.data;
}

/** Reads a problem body: `message` is a text or a list, `errors` holds messages by field. */
export function refusal(status: number, body: unknown): Refused {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const said = problem.message;
  const message = Array.isArray(said) ? said.join("; ") : typeof said === "string" ? said : `HTTP ${status}`;
  const errors = (problem.errors ?? {}) as Record<string, { messages?: string[] } | string[]>;
  const fields = Object.entries(errors).map(([name, found]) => [
    name.replace(/^credentials\./, ""),
    (Array.isArray(found) ? found : (found.messages ?? [])).join("; "),
  ]);
  return new Refused(status, message, Object.fromEntries(fields));
}
