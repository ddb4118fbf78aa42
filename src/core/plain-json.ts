/** Values of user code as JSON that any program reads, and keys as texts of the command line and of addresses. */

/** Dates as ISO text, bigints that are no safe numbers as their digits, bytes in base64, maps as objects or, with other keys than texts, as lists of pairs. */
export const plainJson = (v: unknown): unknown => {
  if (typeof v === "bigint") return Number.isSafeInteger(Number(v)) ? Number(v) : v.toString();
  if (typeof v === "number") return Number.isFinite(v) ? v : String(v);
  if (typeof v !== "object" || v === null) return v;
  if (v instanceof Date) return Number.isNaN(v.getTime()) ? null : v.toISOString();
  if (v instanceof Uint8Array) return Buffer.from(v).toString("base64");
  if (v instanceof Set) return [...v].map(plainJson);
  if (Array.isArray(v)) return v.map(plainJson);
  if (v instanceof Map) {
    const entries = [...v].map(([k, x]) => [plainJson(k), plainJson(x)] as const);
    return entries.every(([k]) => typeof k === "string")
      ? Object.fromEntries(entries as (readonly [string, unknown])[])
      : entries;
  }
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plainJson(x)]));
};

/** A key as JSON; a text that is no JSON stands for itself. */
export const keyFromText = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
