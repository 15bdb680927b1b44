/** Conditions as the builder shows them, to and from JSON Logic. What the builder can't show stays JSON. */

export const OPERATORS = [
  "==", "!=", ">", ">=", "<", "<=", "contains", "doesNotContain", "beginsWith", "endsWith", "in", "notIn", "null", "notNull",
] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Rule {
  field: string;
  operator: Operator;
  value: string;
}

export interface Group {
  match: "and" | "or";
  rules: Rule[];
}

export const NO_VALUE: ReadonlySet<Operator> = new Set(["null", "notNull"]);
const LISTS: ReadonlySet<Operator> = new Set(["in", "notIn"]);

/** The JSON Logic of a group; nothing where it has no rule. */
export function logicOf(group: Group): Record<string, unknown> | null {
  const rules = group.rules.filter((rule) => rule.field.trim() !== "").map(logicOfRule);
  return rules.length === 0 ? null : { [group.match]: rules };
}

function logicOfRule({ field, operator, value }: Rule): Record<string, unknown> {
  const read = { var: field.trim() };
  if (NO_VALUE.has(operator)) return { [operator]: [read] };
  if (LISTS.has(operator)) return { [operator]: [read, value.split(",").map((one) => scalar(one.trim()))] };
  return { [operator]: [read, scalar(value)] };
}

/** The group of a JSON Logic object; null where the builder can't show it. */
export function groupOf(logic: unknown): Group | null {
  if (logic === null || logic === undefined) return { match: "and", rules: [] };
  const found = only(logic);
  if (!found) return null;
  const [name, given] = found;
  if (name === "and" || name === "or") {
    const rules = Array.isArray(given) ? given.map(ruleOf) : [null];
    return rules.every((rule) => rule !== null) ? { match: name, rules } : null;
  }
  const rule = ruleOf(logic);
  return rule && { match: "and", rules: [rule] };
}

function ruleOf(logic: unknown): Rule | null {
  const found = only(logic);
  if (!found || !Array.isArray(found[1])) return null;
  const operator = OPERATORS.find((one) => one === found[0]);
  const [read, value] = found[1] as unknown[];
  const field = only(read);
  if (!operator || field?.[0] !== "var" || typeof field[1] !== "string") return null;
  if (NO_VALUE.has(operator)) return { field: field[1], operator, value: "" };
  if (LISTS.has(operator)) {
    return Array.isArray(value) && value.every(plain) ? { field: field[1], operator, value: value.map(written).join(", ") } : null;
  }
  return plain(value) ? { field: field[1], operator, value: written(value) } : null;
}

function only(value: unknown): [string, unknown] | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  return entries.length === 1 ? (entries[0] ?? null) : null;
}

const plain = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);

/** A text that reads as a number or a truth is written in quotes. */
function written(value: string | number | boolean): string {
  return typeof value === "string" && scalar(value) !== value ? JSON.stringify(value) : String(value);
}

/** What a text in a field means: a number, a truth, or the text; in quotes always the text. */
function scalar(value: string): string | number | boolean {
  if (value === "true" || value === "false") return value === "true";
  if (value.trim() !== "" && !Number.isNaN(Number(value))) return Number(value);
  const quoted = /^"(.*)"$/.exec(value);
  return quoted ? (quoted[1] ?? "") : value;
}
