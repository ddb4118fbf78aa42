/** What a node says on standard error: a JSON object a line, or readable lines on a terminal. */
import type { LogLevel, Logger } from "../query/services.ts";
import { MillraceError } from "../core/errors.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOutput {
  readonly level: LogLevel;
  /** Readable lines instead of JSON. */
  readonly readable: boolean;
  readonly write: (line: string) => void;
  readonly now: () => number;
}

/** A value of a field as JSON takes it: an error is its description, a bigint its digits. */
const plain = (value: unknown, debug: boolean): unknown => {
  if (value instanceof Error) return describeError(value, debug);
  if (typeof value === "bigint") return value.toString();
  return value;
};

/** Message, place and hint of an error in lines for people; the stack only when debugging. */
export const describeError = (error: unknown, debug = false): string => {
  if (!(error instanceof Error)) return String(error);
  if (debug && error.stack !== undefined) return error.stack;
  const lines = [error.message === "" ? error.name : error.message];
  if (error instanceof MillraceError) {
    if (error.where !== undefined && !error.message.includes(error.where)) lines.push(`  at ${error.where}`);
    const { position } = error;
    const place = position === undefined ? "" : `line ${position.line}, column ${position.column}`;
    if (!error.message.includes(place)) lines.push(`  ${place}`);
    if (error.hint !== undefined && !error.message.includes(error.hint)) lines.push(`  hint: ${error.hint}`);
  }
  const { cause } = error;
  if (cause instanceof Error && cause.message !== "" && !error.message.includes(cause.message))
    lines.push(`  cause: ${cause.message}`);
  return lines.join("\n");
};

const readableLine = (
  at: string,
  level: LogLevel,
  message: string,
  fields: Record<string, unknown>,
): string => {
  const rest = Object.entries(fields).map(
    ([k, v]) => `${k}=${typeof v === "string" ? v : JSON.stringify(v)}`,
  );
  return `${at.slice(11, 23)} ${level.padEnd(5)} ${message}${rest.length === 0 ? "" : `  ${rest.join(" ")}`}\n`;
};

export const loggerTo = (o: LogOutput): Logger => {
  const debug = o.level === "debug";
  return (level, message, fields = {}) => {
    if (RANK[level] < RANK[o.level]) return;
    const at = new Date(o.now()).toISOString();
    const shown = Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, plain(v, debug)]));
    o.write(
      o.readable
        ? readableLine(at, level, message, shown)
        : `${JSON.stringify({ time: at, level, message, ...shown })}\n`,
    );
  };
};

/** The logger of this process. */
export const processLogger = (level: LogLevel): Logger =>
  loggerTo({
    level,
    readable: process.stderr.isTTY === true,
    write: (line) => void process.stderr.write(line),
    now: () => Date.now(),
  });
