/** How this tab is let in: by the cookie of a member who signed in, or by keys of environments that it holds. */

interface Kept {
  current: string;
  held: Record<string, string>;
}

const SLOT = "clarion-session";

function read(): Kept {
  const kept = sessionStorage.getItem(SLOT);
  return kept === null ? { current: "", held: {} } : (JSON.parse(kept) as Kept);
}

function write(part: Partial<Kept>): void {
  sessionStorage.setItem(SLOT, JSON.stringify({ ...read(), ...part }));
}

export const session = {
  /** The key in use, null where a member's cookie lets in. */
  key: (): string | null => read().held[read().current] ?? null,
  /** The environment in use, null where nobody chose one yet. */
  environmentId: (): string | null => read().current || null,
  /** Whether keys let in, and of which environments. */
  held: (): string[] => Object.keys(read().held),
  /** Keep a key, and use it from now on. */
  hold: (environmentId: string, key: string): void => write({ current: environmentId, held: { ...read().held, [environmentId]: key } }),
  /** Look at an environment from now on. */
  choose: (environmentId: string): void => write({ current: environmentId }),
  end: (): void => sessionStorage.removeItem(SLOT),
};

/** What every call carries: who asks, and for which environment. */
export function credentials(): Record<string, string> {
  const key = session.key();
  const environmentId = session.environmentId();
  return {
    "Clarion-Client": "dashboard",
    ...(key && { Authorization: `ApiKey ${key}` }),
    ...(!key && environmentId && { "Clarion-Environment": environmentId }),
  };
}
