/** Limits in words. */
import { text } from "../text";
import type { Schemas } from "./client";
import { spanOf } from "./moments";

const words = text.settings.limits;
const KIB = 1024;

/** What a limit amounts to, as people read it. */
export function limitOf({ name, value, unit }: Pick<Schemas["LimitOut"], "name" | "value" | "unit">): string {
  if (value === null) return name.endsWith("Retention") ? words.ever : text.none;
  if (unit === "seconds") return value === 0 ? words.notAtAll : spanOf(value * 1000);
  if (unit === "bytes") return value < KIB * KIB ? `${(value / KIB).toLocaleString()} KiB` : `${(value / KIB / KIB).toLocaleString()} MiB`;
  return `${value.toLocaleString()}${words.units[unit] ?? ""}`;
}
