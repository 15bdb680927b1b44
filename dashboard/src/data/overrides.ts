/** Overrides of providers that a push step keeps. Pure. */
import { readObject } from "./payload";

export type Overrides = Record<string, Record<string, unknown>>;

/** What is there of each provider, written out; a provider that was chosen and has nothing yet stands for an empty text. */
export function writtenOf(overrides: Overrides, chosen: readonly string[]): [provider: string, written: string][] {
  const providers = [...new Set([...Object.keys(overrides), ...chosen])];
  return providers.map((provider) => [provider, overrides[provider] ? JSON.stringify(overrides[provider], null, 2) : ""]);
}

/** The overrides with those of one provider as they are written; null where none is left. As they were where that is no object. */
export function withWritten(overrides: Overrides, provider: string, written: string): Overrides | null {
  const { [provider]: _, ...others } = overrides;
  const object = written.trim() === "" ? {} : readObject(written);
  if (object === null) return overrides;
  const all = Object.keys(object).length > 0 ? { ...overrides, [provider]: object } : others;
  return Object.keys(all).length > 0 ? all : null;
}
