/**
 * Formats `foreachBatch` and `foreach`: the program's own functions as sinks.
 *
 * F1 `foreachBatch` is called once per epoch with all its rows, empty epochs included, epochs in order; `foreach` opens, processes each row and
 *    closes, per partition and epoch. F2 An epoch that was written but not recorded before a crash is handed over again with the same number:
 *    at least once, exactly once where the function keeps (query, partition, epoch, token) with its data. F3 What `process` of `foreach` throws is the row's:
 *    `onError` says what becomes of it, and the rows behind it go on. What `open`, `close` and `foreachBatch` throw fails the query, whatever `onError` says:
 *    nobody knows which row it was, nor what was done by then.
 */
import type { Batch } from "../core/batch.ts";
import { rowCount, rowsOf } from "../core/batch.ts";
import { ConfigurationError, ExecutionError, MillraceError } from "../core/errors.ts";
import { ROW_TEXT_CHARS_MAX } from "../core/limits.ts";
import { rowText } from "../core/row-text.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { OptionValues } from "./options.ts";
import type { SinkContext, SinkFactory, SinkSpec, SinkWriter } from "./sink.ts";

/** What a function learns beside the rows, to make its own target idempotent or fenced (law 11). */
export interface EpochInfo {
  /** From 1; Spark's batchId is `epoch - 1`. */
  readonly epoch: number;
  readonly queryName: string;
  readonly queryId: string;
  readonly partition: number;
  /** Grows with every start of the actor anywhere: a target may refuse a smaller one. */
  readonly token: number;
  readonly schema: Schema;
}

/** Handle of `foreachBatch`. */
export type BatchFunction = (batches: readonly Batch[], info: EpochInfo) => Promise<void> | void;

/** Handle of `foreach`. Rows come as values in schema order. */
export interface RowFunctions {
  /** False skips the epoch's rows (they were written before). */
  open?(info: EpochInfo): Promise<boolean> | boolean;
  process(row: Row): Promise<void> | void;
  /** `error`: what `open` or `process` threw. */
  close?(error?: unknown): Promise<void> | void;
}

const isRowFunctions = (x: unknown): x is RowFunctions =>
  typeof x === "object" && x !== null && typeof (x as RowFunctions).process === "function";

const failure = (what: string, epoch: number, cause: unknown): MillraceError =>
  cause instanceof MillraceError
    ? cause
    : new ExecutionError(
        `the ${what} function failed in epoch ${epoch}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause, errorClass: "FOREACH_USER_FUNCTION_ERROR" },
      );

abstract class FunctionWriter implements SinkWriter {
  readonly #schema: Schema;
  protected readonly context: SinkContext;
  #committed = 0;
  #batches: Batch[] = [];

  constructor(schema: Schema, context: SinkContext) {
    this.#schema = schema;
    this.context = context;
  }

  protected abstract call(batches: readonly Batch[], info: EpochInfo): Promise<void>;

  async open(committed: number): Promise<void> {
    this.#committed = committed;
  }

  begin(): void {
    this.#batches = [];
  }

  write(batch: Batch): void {
    if (rowCount(batch) > 0) this.#batches.push(batch);
  }

  async commit(epoch: number): Promise<void> {
    const batches = this.#batches;
    this.#batches = [];
    if (epoch <= this.#committed) return;
    const { queryName, queryId, partition, token } = this.context;
    await this.call(batches, { epoch, queryName, queryId, partition, token, schema: this.#schema });
    this.#committed = epoch;
  }

  async close(): Promise<void> {}
}

class BatchWriter extends FunctionWriter {
  readonly #call: BatchFunction;
  constructor(call: BatchFunction, schema: Schema, context: SinkContext) {
    super(schema, context);
    this.#call = call;
  }

  protected override async call(batches: readonly Batch[], info: EpochInfo): Promise<void> {
    try {
      await this.#call(batches, info);
    } catch (e) {
      throw failure("foreachBatch", info.epoch, e);
    }
  }
}

class RowWriter extends FunctionWriter {
  readonly #functions: RowFunctions;
  constructor(functions: RowFunctions, schema: Schema, context: SinkContext) {
    super(schema, context);
    this.#functions = functions;
  }

  protected override async call(batches: readonly Batch[], info: EpochInfo): Promise<void> {
    const functions = this.#functions;
    let at: Row | undefined;
    try {
      if ((await functions.open?.(info)) !== false)
        for (const batch of batches)
          for (const row of rowsOf(batch)) {
            at = row;
            await this.#processed(row, info);
          }
    } catch (e) {
      await Promise.resolve(functions.close?.(e)).catch(() => {});
      const error = failure("foreach", info.epoch, e);
      if (at !== undefined)
        error.where = `foreach, partition ${info.partition}, epoch ${info.epoch}, row ${rowText(at, ROW_TEXT_CHARS_MAX)}`;
      throw error;
    }
    try {
      await functions.close?.();
    } catch (e) {
      throw failure("foreach", info.epoch, e);
    }
  }

  /** F3. */
  async #processed(row: Row, info: EpochInfo): Promise<void> {
    const { onRowError } = this.context;
    try {
      const pending = this.#functions.process(row);
      if (pending !== undefined) await pending;
    } catch (e) {
      if (onRowError === undefined) throw e;
      const error = failure("foreach", info.epoch, e);
      error.where = `foreach, partition ${info.partition}, epoch ${info.epoch}`;
      onRowError(error, row);
    }
  }
}

const GUARANTEE = "none: the function is told (query, partition, epoch, token)";

export const foreachBatchSinkFactory: SinkFactory = {
  format: "foreachBatch",
  optionNames: [],
  validate(spec: SinkSpec) {
    new OptionValues("foreachBatch sink", spec.options, []);
    if (typeof spec.handle !== "function") throw new ConfigurationError("foreachBatch needs a function");
  },
  partitioned: () => false,
  describe: () => GUARANTEE,
  guarantee: () => "atLeastOnce",
  writer: (spec, schema, context) => new BatchWriter(spec.handle as BatchFunction, schema, context),
};

export const foreachSinkFactory: SinkFactory = {
  format: "foreach",
  optionNames: [],
  validate(spec: SinkSpec) {
    new OptionValues("foreach sink", spec.options, []);
    if (!isRowFunctions(spec.handle))
      throw new ConfigurationError("foreach needs an object with process(row), and open and close if wanted");
  },
  partitioned: () => true,
  describe: () => GUARANTEE,
  guarantee: () => "atLeastOnce",
  writer: (spec, schema, context) => new RowWriter(spec.handle as RowFunctions, schema, context),
};
