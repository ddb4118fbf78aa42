/** Durations as text: `10 seconds`, `1 hour 30 minutes`, `interval 5 minutes`. Fixed-length units only; months have no fixed length. */
import { ConfigurationError } from "./errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  microsecond: 0.001,
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};
const SHORT: Readonly<Record<string, string>> = {
  us: "microsecond",
  ms: "millisecond",
  s: "second",
  sec: "second",
  m: "minute",
  min: "minute",
  h: "hour",
  d: "day",
};

/** Milliseconds of a duration text, or of a number of milliseconds. Throws ConfigurationError naming what is wrong. */
export const parseDuration = (text: string | number): number => {
  if (typeof text === "number") return text;
  const body = text
    .trim()
    .toLowerCase()
    .replace(/^interval\s+/, "")
    .replaceAll("'", "");
  const parts = [...body.matchAll(/\s*(-?\d+(?:\.\d+)?)\s*([a-z]+)\s*/gy)];
  const length = parts.reduce((n, p) => n + p[0].length, 0);
  if (parts.length === 0 || length !== body.length)
    throw new ConfigurationError(
      `"${text}" is not a duration; write it like "10 seconds" or "1 hour 30 minutes"`,
    );
  let ms = 0;
  for (const [, amount, unit] of parts) {
    const name = SHORT[unit!] ?? unit!.replace(/s$/, "");
    const factor = Object.hasOwn(UNIT_MS, name) ? UNIT_MS[name] : undefined;
    if (factor === undefined)
      throw new ConfigurationError(
        `"${text}": unknown unit "${unit}"; known: ${Object.keys(UNIT_MS).join(", ")}`,
      );
    ms += Number(amount) * factor;
  }
  return ms;
};
