/**
 * Format `memory`: rows kept in a MemorySink object of this process. An epoch appears when it commits, whole, and replaces what a replay or another
 * copy of the actor wrote for the same epoch (law 11: the epoch number is the target's).
 */
import type { Batch } from "../core/batch.ts";
import { rowsOf } from "../core/batch.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { OptionValues } from "./options.ts";
import type { OutputMode, SinkFactory, SinkSpec, SinkWriter } from "./sink.ts";

export class MemorySink {
  readonly #epochs = new Map<number, readonly Row[]>();
  readonly #watchers = new Set<(epoch: number) => void>();
  #schema: Schema | undefined;
  #mode: OutputMode = "append";

  /** Columns of the rows; undefined before the query started. */
  get schema(): Schema | undefined {
    return this.#schema;
  }

  /** The rows of all committed epochs in order; in complete mode those of the newest epoch. */
  rows(): readonly Row[] {
    const epochs = this.rowsByEpoch();
    return this.#mode === "complete" ? (epochs.at(-1)?.[1] ?? []) : epochs.flatMap(([, rows]) => rows);
  }

  /** Committed epochs that this process saw, ascending, with their rows (empty ones too). */
  rowsByEpoch(): readonly (readonly [epoch: number, rows: readonly Row[]])[] {
    return [...this.#epochs].sort(([a], [b]) => a - b);
  }

  /** Called after each committed epoch. Returns the end of it. */
  onEpoch(watcher: (epoch: number) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Forgets all rows. */
  clear(): void {
    this.#epochs.clear();
  }

  /** For the writer: what the rows are. */
  describe(schema: Schema, mode: OutputMode): void {
    this.#schema = schema;
    this.#mode = mode;
  }

  /** For the writer: sets the rows of an epoch. */
  put(epoch: number, rows: readonly Row[]): void {
    // Complete mode holds one table: older ones are of no use and would grow without end.
    if (this.#mode === "complete")
      for (const e of this.#epochs.keys()) if (e < epoch - KEPT) this.#epochs.delete(e);
    this.#epochs.set(epoch, rows);
    for (const watcher of this.#watchers) watcher(epoch);
  }
}

/** Epochs kept in complete mode, for `rowsByEpoch`. */
const KEPT = 1000;

const sinkOf = (spec: SinkSpec): MemorySink => {
  if (spec.handle instanceof MemorySink) return spec.handle;
  throw new ConfigurationError("a memory sink needs its MemorySink object as handle");
};

class MemoryWriter implements SinkWriter {
  readonly #sink: MemorySink;
  #rows: Row[] = [];
  #epoch = 0;

  constructor(sink: MemorySink) {
    this.#sink = sink;
  }

  async open(): Promise<void> {}

  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#rows = [];
  }

  write(batch: Batch): void {
    for (const row of rowsOf(batch)) this.#rows.push(row);
  }

  async commit(epoch: number): Promise<void> {
    if (epoch === this.#epoch) this.#sink.put(epoch, this.#rows);
    this.#rows = [];
  }

  async close(): Promise<void> {}
}

export const memorySinkFactory: SinkFactory = {
  format: "memory",
  optionNames: [],
  validate(spec) {
    new OptionValues("memory sink", spec.options, []);
    sinkOf(spec);
  },
  partitioned: () => false,
  describe: () => "epochs idempotent by number, in this process",
  guarantee: () => "exactlyOnce",
  writer(spec, schema, context) {
    const sink = sinkOf(spec);
    sink.describe(schema, context.outputMode);
    return new MemoryWriter(sink);
  },
};
