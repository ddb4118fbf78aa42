/**
 * MemorySource: the handle of a `memory` source, what a program or test adds rows to.
 *
 * M1 Every added row is one record of a log of the application's store, one log per (query, source): replay and restarts read the same rows at the
 *    same positions. M2 A handle may feed several sources (a self-join, two queries): each gets every row, one that starts later
 *    gets first what an earlier one has. M3 Rows added before anything reads are kept and written at the first start. M4 A row is
 *    appended once: by compare-and-set, and after an unknown outcome the log's tail is searched for the row's id. M5 Many rows are appended at once,
 *    each expecting the one before it; they stay in order unless another process adds rows to the same log in that instant.
 */
import { hostname } from "node:os";
import { position, type Position } from "../core/brands.ts";
import { type DataType, typeName } from "../core/data-type.ts";
import { ConfigurationError, ExecutionError, LogConflictError, UnavailableError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import type { Log } from "../log/log.ts";
import { ValueConverter } from "./formats/conversion.ts";
import { rowEncoder } from "./formats/row-record.ts";
import { nearestName } from "./options.ts";

/** A row: its values in column order, or an object by column name (Date, Map, ISO text are taken). */
export type InputRow = Row | Readonly<Record<string, unknown>>;

const ID = "mr-row";
/** Attempts to append one row before its unknown outcome is the caller's. */
const ATTEMPTS_MAX = 100;

/** Rows appended at once. */
const WINDOW_ROWS = 512;

/** Nodes of one process open the same log each for itself; when one of them is gone, another's is used. */
const LOGS_MAX = 8;

interface Target {
  /** The same log, opened most recently first. */
  logs: Log[];
  last: Position | undefined;
}

let handles = 0;

/** Whether a value of a row that is a list stands for its type as the engine has it; what is inside of nested ones is not looked at. */
const isOf = (value: unknown, type: DataType): boolean => {
  switch (type.kind) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "byte":
    case "short":
    case "int":
    case "float":
    case "double":
    case "timestamp":
    case "timestamp_ntz":
      return typeof value === "number";
    case "long":
      return typeof value === "number" || typeof value === "bigint";
    case "array":
    case "struct":
    case "map":
      return Array.isArray(value);
    default:
      return true;
  }
};

const describe = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value.slice(0, 80))
    : typeof value === "object"
      ? "an object"
      : String(value);

export class MemorySource {
  readonly schema: Schema;
  readonly #encode: (row: Row) => Uint8Array;
  readonly #converter = new ValueConverter("UTC");
  readonly #targets = new Map<string, Target>();
  readonly #wakes = new Set<() => void>();
  /** Rows added before the first start (M3). */
  #waiting: Uint8Array[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  /** Told apart from other processes that append to the same log. */
  readonly #handle = `${hostname()}-${process.pid}-${++handles}`;
  #rows = 0;

  constructor(schema: Schema) {
    this.schema = schema;
    this.#encode = rowEncoder(schema);
  }

  /**
   * Adds rows; resolves when they are durable in the log of every source fed, or kept for the first start when there is none yet. Throws
   * ExecutionError for a row that does not fit the schema; then none of them is added.
   */
  addData(rows: readonly InputRow[]): Promise<void> {
    const payloads = rows.map((row) => this.#record(this.#values(row)));
    return this.#serial(async () => {
      if (this.#targets.size === 0) for (const p of payloads) this.#waiting.push(p);
      else await this.#append([...this.#targets.values()], payloads);
      for (const wake of this.#wakes) wake();
    });
  }

  /** Resolves when every `addData` so far is through. */
  settled(): Promise<void> {
    return this.#serial(async () => {});
  }

  /** All rows that the handle has, as records: for batch reads. */
  snapshot(): Promise<readonly Uint8Array[]> {
    return this.#serial(async () => {
      const [target] = this.#targets.values();
      return target === undefined ? [...this.#waiting] : recordsOf(target.logs[0]!);
    });
  }

  /** Called after rows were added by this process. Returns the end of it. */
  onRows(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  /** Feeds a source's log from now on. The same log opened again (another node, a restart) replaces the one before. */
  bind(log: Log): Promise<void> {
    return this.#serial(async () => {
      const { last } = await log.bounds();
      let key = `${log.name}@${log.created}`;
      // A shorter log of the same name and time lives in another store (tests with stores in memory).
      while ((this.#targets.get(key)?.last ?? 0) > last) key += "'";
      const known = this.#targets.get(key);
      if (known !== undefined) {
        known.logs = [log, ...known.logs.filter((l) => l !== log)].slice(0, LOGS_MAX);
        known.last = last;
        return;
      }
      const target: Target = { logs: [log], last };
      const [earlier] = this.#targets.values();
      if (last === 0 && earlier !== undefined)
        await this.#append([target], await recordsOf(earlier.logs[0]!));
      this.#targets.set(key, target);
      const waiting = this.#waiting;
      this.#waiting = [];
      if (waiting.length > 0) await this.#append([target], waiting);
    });
  }

  #serial<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work, work);
    this.#tail = run.catch(() => {});
    return run;
  }

  #record(row: Row): Uint8Array {
    try {
      return this.#encode(row);
    } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      throw new ExecutionError("memory source: a row is nested too deep, or too large", { cause: e });
    }
  }

  #values(row: InputRow): Row {
    const { fields } = this.schema;
    const problem = (text: string): ExecutionError => new ExecutionError(`memory source: ${text}`);
    if (Array.isArray(row)) {
      if (row.length !== fields.length)
        throw problem(`a row of ${row.length} values for ${fields.length} columns`);
      fields.forEach(({ name, type }, i) => {
        const value = (row as Row)[i]!;
        if (value !== null && !isOf(value, type))
          throw problem(`column ${name}: ${describe(value)} is no ${typeName(type)}`);
      });
      return row as Row;
    }
    if (typeof row !== "object" || row === null)
      throw problem(`a row is a list or an object, not ${String(row)}`);
    const object = row as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(object))
      if (!fields.some((f) => f.name === name)) {
        const near = nearestName(
          name,
          fields.map((f) => f.name),
        );
        throw problem(`no column "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`);
      }
    return fields.map((f) => {
      const given = Object.hasOwn(object, f.name) ? object[f.name] : null;
      this.#converter.problem = undefined;
      const value = this.#converter.convert(given, f.type);
      if (this.#converter.problem !== undefined)
        throw problem(`column ${f.name}: ${String(this.#converter.problem)}`);
      return value;
    });
  }

  async #append(targets: readonly Target[], payloads: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < payloads.length; i += WINDOW_ROWS) {
      const rows = payloads
        .slice(i, i + WINDOW_ROWS)
        .map((payload) => ({ payload, id: `${this.#handle}-${++this.#rows}` }));
      for (const target of targets) await appendRows(target, rows);
    }
  }
}

interface AddedRow {
  readonly payload: Uint8Array;
  readonly id: string;
}

/** Appends rows at once (M5); those whose place was taken, or whose outcome is unknown, one by one. */
const appendRows = async (target: Target, rows: readonly AddedRow[]): Promise<void> => {
  const from = target.last;
  if (from === undefined || rows.length === 1) {
    for (const row of rows) await appendOnce(target, row);
    return;
  }
  const log = target.logs[0]!;
  const outcomes = await Promise.allSettled(
    rows.map(({ payload, id }, i) =>
      log.append(payload, { expectLast: position(from + i), headers: { [ID]: id } }),
    ),
  );
  target.last = position(from + rows.length);
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    // What was refused is not there; any other outcome is unknown.
    if (outcome.reason instanceof LogConflictError) {
      target.last = undefined;
      await appendOnce(target, rows[i]!);
    } else await appendOnce(target, rows[i]!, from);
  }
};

/** Appends one row exactly once (M4). `triedFrom`: it may stand behind this position already. */
const appendOnce = async (target: Target, { payload, id }: AddedRow, triedFrom?: Position): Promise<void> => {
  let from = triedFrom ?? target.last;
  for (let attempt = triedFrom === undefined ? 1 : 2; ; attempt++) {
    const log = target.logs[0]!;
    try {
      const bounds = target.last === undefined || attempt > 1 ? await log.bounds() : undefined;
      if (bounds !== undefined) {
        for (let p = (from ?? bounds.last) + 1; attempt > 1 && p <= bounds.last; p++)
          if ((await log.get(position(p)))?.headers?.[ID] === id) return void (target.last = bounds.last);
        target.last = bounds.last;
      }
      from ??= target.last;
      target.last = await log.append(payload, { expectLast: target.last!, headers: { [ID]: id } });
      return;
    } catch (e) {
      const again = e instanceof LogConflictError || e instanceof UnavailableError || target.logs.length > 1;
      if (!again || attempt === ATTEMPTS_MAX) throw e;
      if (!(e instanceof LogConflictError)) target.logs.push(target.logs.shift()!);
    }
  }
};

const recordsOf = async (log: Log): Promise<Uint8Array[]> => {
  const { first, last } = await log.bounds();
  const payloads: Uint8Array[] = [];
  for (let p: number = first; p <= last; p++) {
    const record = await log.get(position(p));
    if (record !== undefined) payloads.push(record.payload);
  }
  return payloads;
};

/** The handle of a spec. */
export const memorySourceOf = (handle: unknown): MemorySource => {
  if (handle instanceof MemorySource) return handle;
  throw new ConfigurationError("a memory source needs its MemorySource object as handle");
};
