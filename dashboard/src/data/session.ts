/** Who is signed in: the keys of environments that this tab holds, and which of them is in use. */

export interface Held {
  environmentId: string;
  key: string;
}

const SLOT = "clarion-session";

interface Kept {
  current: string;
  held: Record<string, string>;
}

function read(): Kept | null {
  const kept = sessionStorage.getItem(SLOT);
  return kept === null ? null : (JSON.parse(kept) as Kept);
}

function write(kept: Kept): void {
  sessionStorage.setItem(SLOT, JSON.stringify(kept));
}

export const session = {
  /** The key in use, null when nobody is signed in. */
  key: (): string | null => {
    const kept = read();
    return kept === null ? null : (kept.held[kept.current] ?? null);
  },
  /** The environment in use. */
  environmentId: (): string | null => read()?.current ?? null,
  /** The environments whose keys are held. */
  held: (): string[] => Object.keys(read()?.held ?? {}),
  /** Keep a key, and use it from now on. */
  use: ({ environmentId, key }: Held): void => write({ current: environmentId, held: { ...read()?.held, [environmentId]: key } }),
  /** Use an environment whose key is held. */
  switchTo: (environmentId: string): void => write({ held: read()?.held ?? {}, current: environmentId }),
  end: (): void => sessionStorage.removeItem(SLOT),
};
