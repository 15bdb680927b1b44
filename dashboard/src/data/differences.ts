/** What publishing changes, field by field. */

/** `previous` and `new` hold the changed fields, nested ones too: by name, before and after. */
export function differences(diffs: unknown): [string, unknown, unknown][] {
  const { previous, new: next } = (diffs ?? {}) as { previous?: unknown; new?: unknown };
  const [before, after] = [flat(previous), flat(next)];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => shown(before[name]) !== shown(after[name])).map((name) => [name, before[name], after[name]]);
}

/** As it stands in a table; what isn't there and what is nothing are alike. */
export const shown = (value: unknown): string => (value === undefined || value === null ? "—" : typeof value === "string" ? value : JSON.stringify(value));

function flat(value: unknown, prefix = ""): Record<string, unknown> {
  if (typeof value !== "object" || value === null || isList(value)) return prefix ? { [prefix]: value } : {};
  const named: [string, unknown][] = Array.isArray(value) ? value.map((inner, at) => [String(at + 1), inner]) : Object.entries(value);
  return named.reduce((all, [name, inner]) => ({ ...all, ...flat(inner, prefix ? `${prefix}.${name}` : name) }), {});
}

/** Of plain values, such as tags; a list of objects, such as steps, is told one by one. */
const isList = (value: object): boolean => Array.isArray(value) && !value.some((inner) => typeof inner === "object" && inner !== null);
