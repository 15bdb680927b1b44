/** The JSON object that a text holds; null when it holds none. */
export function readObject(given: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(given);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
