/** Times of a schedule: `09:00 AM` in the API, `09:00` in the browser's fields. */

/** "09:00 PM" → "21:00". What is no such time is given back as it is. */
export function toField(time: string): string {
  const found = /^(\d{1,2}):(\d{2})\s*(AM|PM)$/i.exec(time.trim());
  if (!found) return time;
  const hour = (Number(found[1]) % 12) + (found[3]?.toUpperCase() === "PM" ? 12 : 0);
  return `${String(hour).padStart(2, "0")}:${found[2]}`;
}

/** "21:00" → "09:00 PM". */
export function fromField(time: string): string {
  const [hour = "0", minute = "00"] = time.split(":");
  const of24 = Number(hour);
  return `${String(of24 % 12 === 0 ? 12 : of24 % 12).padStart(2, "0")}:${minute} ${of24 < 12 ? "AM" : "PM"}`;
}
