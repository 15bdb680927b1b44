/** Variables of Liquid templates: which there are, and which fit what is being written. */

type Json = Record<string, unknown>;

/** The paths that a JSON schema of variables names, in its order; objects that may hold anything by themselves. */
export function pathsOf(schema: unknown, prefix = "", depth = 4): string[] {
  const properties = (schema as { properties?: Json } | null)?.properties;
  if (!properties || depth === 0) return prefix ? [prefix] : [];
  return Object.entries(properties).flatMap(([name, inner]) => pathsOf(inner, prefix ? `${prefix}.${name}` : name, depth - 1));
}

/** The paths of the values in a sample. */
export function pathsIn(sample: unknown, prefix = "", depth = 4): string[] {
  if (typeof sample !== "object" || sample === null || Array.isArray(sample) || depth === 0) return prefix ? [prefix] : [];
  return Object.entries(sample as Json).flatMap(([name, inner]) => pathsIn(inner, prefix ? `${prefix}.${name}` : name, depth - 1));
}

/** The variable that is being written before the caret: where it begins, and what is there of it. */
export function unfinished(text: string, caret: number): { from: number; word: string } | null {
  const before = text.slice(0, caret);
  const found = /\{\{-?\s*([A-Za-z_][\w.]*)?$/.exec(before);
  if (!found) return null;
  const word = found[1] ?? "";
  return { from: caret - word.length, word };
}

/** The names that a word may become: those that begin with it, then those that hold it. */
export function fitting(names: readonly string[], word: string, most = 8): string[] {
  const sought = word.toLowerCase();
  const begin = names.filter((name) => name.toLowerCase().startsWith(sought));
  const hold = names.filter((name) => !begin.includes(name) && name.toLowerCase().includes(sought));
  return [...begin, ...hold].slice(0, most);
}

/** The text with a name in place of the unfinished word, closed where it wasn't; and where the caret goes. */
export function completed(text: string, caret: number, name: string): { text: string; caret: number } {
  const open = unfinished(text, caret);
  const from = open ? open.from : caret;
  const rest = text.slice(caret);
  const closed = /^\s*(\||-?\}\})/.test(rest);
  const written = (open ? name : `{{${name}`) + (closed ? "" : "}}");
  return { text: text.slice(0, from) + written + rest, caret: from + written.length };
}
