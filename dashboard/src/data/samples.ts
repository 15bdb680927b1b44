/** Calls that trigger a workflow, in the languages that people copy them in. */
import { pathsOf } from "./templates";

export interface Sample {
  url: string;
  workflowId: string;
  to: string;
  payload: Record<string, unknown>;
}

export const LANGUAGES = ["bash", "python", "typescript"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The lines for a language; the key stands there as a variable. */
export function sampleIn(language: Language, sample: Sample): string {
  return { bash: curl, python, typescript }[language](sample);
}

function curl({ url, workflowId, to, payload }: Sample): string {
  const body = JSON.stringify({ name: workflowId, to, payload }, null, 2).replaceAll("\n", "\n  ").replaceAll("'", "'\\''");
  return [
    `curl -X POST "${url}/v1/events/trigger" \\`,
    `  -H "Authorization: ApiKey $CLARION_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  --data '${body}'`,
  ].join("\n");
}

function python({ url, workflowId, to, payload }: Sample): string {
  return [
    "import os",
    "",
    "from novu_py import Novu",
    "",
    `with Novu(secret_key=os.environ["CLARION_KEY"], server_url=${JSON.stringify(url)}) as clarion:`,
    "    clarion.trigger(",
    "        trigger_event_request_dto={",
    `            "workflow_id": ${JSON.stringify(workflowId)},`,
    `            "to": ${JSON.stringify(to)},`,
    `            "payload": ${literal(payload)},`,
    "        }",
    "    )",
  ].join("\n");
}

function typescript({ url, workflowId, to, payload }: Sample): string {
  return [
    'import { Novu } from "@novu/api";',
    "",
    `const clarion = new Novu({ secretKey: process.env.CLARION_KEY, serverURL: ${JSON.stringify(url)} });`,
    "await clarion.trigger({",
    `  workflowId: ${JSON.stringify(workflowId)},`,
    `  to: ${JSON.stringify(to)},`,
    `  payload: ${JSON.stringify(payload)},`,
    "});",
  ].join("\n");
}

/** A JSON value as Python writes it. */
function literal(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${literal(inner)}`);
  return `{${entries.join(", ")}}`;
}

/** A payload with every key that the schema names. */
export function samplePayload(schema: unknown): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const path of pathsOf(schema)) {
    const names = path.split(".");
    const last = names.pop() ?? "";
    let place = payload;
    for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
    place[last] = last;
  }
  return payload;
}
