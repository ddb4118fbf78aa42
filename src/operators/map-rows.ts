/**
 * User functions over whole rows: map, flatMap, filter and mapAsync. A row costs an object; functions must be deterministic (law 2).
 *
 * mapAsync is for lookups: up to `concurrency` calls at a time, each tried `retries` + 1 times and given `timeoutMs`; results keep the order of the rows.
 * Stateless.
 */
import { type Batch, batchFromRows, rowsOf } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import { sleep } from "../core/clock.ts";
import { ExecutionError } from "../core/errors.ts";
import { ASYNC_CONCURRENCY_DEFAULT } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { callUser, userFunctionError } from "../expr/user-call.ts";
import type { Operator, OperatorContext, OperatorKind, Output } from "./operator.ts";
import { keepRows } from "./row-errors.ts";
import { iterableResult, rowReader, rowWriter, wrongResult } from "./user-rows.ts";

export interface MapRowsSpec {
  readonly name: string;
  readonly mode: "map" | "flatMap" | "filter" | "mapAsync";
  /** map: row → row; flatMap: row → iterable of rows; filter: row → boolean; mapAsync: row → promise of a row. */
  readonly apply: (row: never) => unknown;
  readonly concurrency?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly retryDelayMs?: number;
}

class MapRows implements Operator {
  readonly #spec: MapRowsSpec;
  readonly #output: Schema;
  readonly #read: (row: Row) => unknown;
  readonly #write: (value: unknown) => Row;
  readonly #apply: (row: unknown) => unknown;
  #context!: OperatorContext;

  constructor(spec: MapRowsSpec, input: Schema, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#read = rowReader(input);
    this.#write = rowWriter(output, spec.name);
    this.#apply = spec.apply as (row: unknown) => unknown;
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: Batch, _port: number, out: Output): void | Promise<void> {
    if (this.#spec.mode === "mapAsync") return this.#mapAsync(batch, out);
    const rows = rowsOf(batch);
    if (this.#spec.mode === "filter") {
      const mask = Uint8Array.from(rows, (row) => (this.#guard(row, () => this.#test(row)) === true ? 1 : 0));
      const kept = keepRows(batch, mask);
      if (kept.selection!.length > 0) out.emit(kept);
      return;
    }
    this.#emit(
      rows.flatMap((row) => this.#guard(row, () => this.#results(row)) ?? []),
      out,
    );
  }

  #emit(rows: readonly Row[], out: Output): void {
    if (rows.length > 0) out.emit(batchFromRows(this.#output, rows));
  }

  /** What `f` gives, or undefined when it threw and the row is to be left out. */
  #guard<R>(row: Row, f: () => R): R | undefined {
    try {
      return f();
    } catch (e) {
      this.#context.onRowError(userFunctionError(this.#spec.name, e), () => row);
      return undefined;
    }
  }

  #call(row: Row): unknown {
    return callUser(this.#spec.name, () => this.#apply(this.#read(row)));
  }

  #test(row: Row): boolean {
    const kept = this.#call(row);
    if (typeof kept === "boolean") return kept;
    throw wrongResult(this.#spec.name, "true or false", kept);
  }

  #results(row: Row): readonly Row[] {
    const result = this.#call(row);
    if (this.#spec.mode === "map") return [this.#write(result)];
    const made = iterableResult(this.#spec.name, result);
    return callUser(this.#spec.name, () => [...made]).map(this.#write);
  }

  async #mapAsync(batch: Batch, out: Output): Promise<void> {
    const rows = rowsOf(batch);
    const results: (Row | undefined)[] = new Array(rows.length);
    const failures = new Map<number, unknown>();
    const done = new Uint8Array(rows.length);
    let next = 0;
    let reported = 0;
    /** In the order of the rows, so that dead letters come in the same order in every replay. */
    const report = (): void => {
      for (; reported < rows.length && done[reported] === 1; reported++) {
        if (!failures.has(reported)) continue;
        const row = rows[reported];
        this.#context.onRowError(userFunctionError(this.#spec.name, failures.get(reported)), () => row);
      }
    };
    const worker = async (): Promise<void> => {
      while (next < rows.length) {
        const i = next++;
        try {
          results[i] = this.#write(await this.#attempt(rows[i]!));
        } catch (e) {
          failures.set(i, e);
        }
        done[i] = 1;
        try {
          report();
        } catch (e) {
          // With onError "fail" the epoch is over: no further row is started.
          next = rows.length;
          throw e;
        }
      }
    };
    const workers = Math.min(rows.length, Math.max(1, this.#spec.concurrency ?? ASYNC_CONCURRENCY_DEFAULT));
    await Promise.all(Array.from({ length: workers }, worker));
    this.#emit(
      results.filter((r) => r !== undefined),
      out,
    );
  }

  async #attempt(row: Row): Promise<unknown> {
    const { retries = 0, retryDelayMs = 0, timeoutMs, name } = this.#spec;
    const clock = this.#context.clock;
    for (let left = retries; ; left--) {
      try {
        const result = Promise.resolve(this.#call(row));
        return await (timeoutMs === undefined || clock === undefined
          ? result
          : withTimeout(result, timeoutMs, clock, name));
      } catch (e) {
        if (left <= 0) throw e;
        if (retryDelayMs > 0 && clock !== undefined) await sleep(clock, retryDelayMs);
      }
    }
  }
}

const withTimeout = <R>(result: Promise<R>, ms: number, clock: Clock, name: string): Promise<R> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () =>
      reject(new ExecutionError(`${name} took longer than ${ms} ms`, { errorClass: "UDF_TIMEOUT" })),
    );
    result.then(resolve, reject).finally(cancel);
  });

export const mapRowsKind: OperatorKind<MapRowsSpec> = {
  kind: "mapRows",
  stateful: false,
  create: (spec, [input], output) => new MapRows(spec, input!, output),
  describe: (spec) => `MapRows ${spec.mode} ${spec.name}`,
  stateFingerprint: () => "",
};
