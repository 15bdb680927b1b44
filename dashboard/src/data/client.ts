/** The typed API client. Everything the dashboard does goes through it. */
import createClient from "openapi-fetch";
import type { components, paths } from "../schema";
import { credentials } from "./session";

export type Schemas = components["schemas"];

export const api = createClient<paths>({ baseUrl: "/" });

api.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(credentials())) if (!request.headers.has(name)) request.headers.set(name, value);
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

/** For answers without an envelope: the whole body. */
export async function whole<T>(call: Promise<Answered<T>>): Promise<T> {
  const answer = await call;
  if (!answer.response.ok || answer.data === undefined) throw refusal(answer.response.status, answer.error);
  return answer.data;
}

/** For answers without a body. */
export async function done(call: Promise<Answered<unknown>>): Promise<void> {
  const answer = await call;
  if (!answer.response.ok) throw refusal(answer.response.status, answer.error);
}

/** Reads a problem body: `message` is a text or a list, `errors` holds messages by field. */
export function refusal(status: number, body: unknown): Refused {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const said = problem.message;
  const message = Array.isArray(said) ? said.join("; ") : typeof said === "string" ? said : `HTTP ${status}`;
  return new Refused(status, message, fieldsOf(problem.errors));
}

function fieldsOf(errors: unknown): Record<string, string> {
  if (Array.isArray(errors)) {
    const listed = errors as { field?: string; message?: string }[];
    return Object.fromEntries(listed.map((one) => [one.field ?? "", one.message ?? ""]));
  }
  const named = (errors ?? {}) as Record<string, { messages?: string[] } | string[]>;
  return Object.fromEntries(
    Object.entries(named).map(([name, found]) => [
      name.replace(/^credentials\./, ""),
      (Array.isArray(found) ? found : (found.messages ?? [])).join("; "),
    ]),
  );
}

/** The messages by field of an error, none where it named no field. */
export function fieldErrors(error: unknown): Record<string, string> {
  return error instanceof Refused ? error.fields : {};
}
