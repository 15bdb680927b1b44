/** What an integration's health says last. */
import { text } from "../text";
import type { Schemas } from "./client";
import { spanOf } from "./moments";

type Health = Pick<Schemas["HealthOut"], "explanation" | "lastRefusal" | "proven">;

/** In one line: why it isn't asked, else the last answer that was no yes and how long ago that was. */
export function lastWord({ explanation, lastRefusal, proven }: Health, now: number): string {
  if (explanation) return explanation;
  if (lastRefusal) return text.integrations.ago(spanOf(Math.max(0, now - Date.parse(lastRefusal.at))), refusalInWords(lastRefusal));
  return proven ? "—" : text.integrations.unproven;
}

/** An answer in words: what was made of it, else what its kind means, with the provider's code. */
export function refusalInWords({ code, outcome, explanation }: Schemas["RefusalOut"]): string {
  return [code !== outcome && code, explanation || text.activity.remedies[outcome]].filter(Boolean).join(": ");
}
