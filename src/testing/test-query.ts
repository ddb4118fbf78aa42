/** A streaming query under test: the rows it wrote into memory, and what they must be. */
import { isDeepStrictEqual } from "node:util";
import assert from "node:assert/strict";
import type { RowOf } from "../api/tags.ts";
import { rowsToUser } from "../api/frame-actions.ts";
import type { MemorySink } from "../connectors/memory-sink.ts";
import type { Row } from "../core/value.ts";
import type { StreamingQuery, StreamingQueryProgress } from "../query/streaming-query.ts";
import type { TestCluster } from "./cluster.ts";

/** How rows are compared. */
export interface Expectation {
  /** `any` (default): the same rows in whatever order; `exact`: in this order. */
  readonly order?: "any" | "exact";
}

export class TestQuery<S> {
  readonly name: string;
  readonly #cluster: TestCluster;
  readonly #sink: MemorySink;
  /** Epochs that `expectNewRows` has seen. */
  #seen = 0;

  readonly #complete: boolean;

  /** `complete`: every epoch writes the whole result. */
  constructor(cluster: TestCluster, sink: MemorySink, name: string, complete: boolean) {
    this.#cluster = cluster;
    this.#sink = sink;
    this.name = name;
    this.#complete = complete;
  }

  #user(rows: readonly Row[]): RowOf<S>[] {
    const { schema } = this.#sink;
    return schema === undefined ? [] : rowsToUser<S>({ schema, rows });
  }

  /** The rows of all committed epochs, in order; in complete mode those of the newest epoch. */
  rows(): RowOf<S>[] {
    return this.#user(this.#sink.rows());
  }

  /** The query as a running node sees it now: a handle from before a kill or a restart is of no use. */
  handle(): Promise<StreamingQuery> {
    return this.#cluster.query(this.name, this.#cluster.first?.index);
  }

  /** What the last epoch did: watermark, state rows, late rows, … */
  async lastProgress(): Promise<StreamingQueryProgress | undefined> {
    return (await this.handle()).lastProgress;
  }

  /** Processes all input that is there, then compares all rows written so far. Throws AssertionError. */
  async expectRows(expected: readonly RowOf<S>[], how: Expectation = {}): Promise<void> {
    await this.#cluster.processAllAvailable(this.name);
    this.#seen = this.#newest();
    same(this.rows(), expected, how, `rows of ${this.name}`);
  }

  /** As `expectRows`, of the rows that were written since the check before; in complete mode of the newest result, if there is one. */
  async expectNewRows(expected: readonly RowOf<S>[], how: Expectation = {}): Promise<void> {
    await this.#cluster.processAllAvailable(this.name);
    const epochs = this.#sink.rowsByEpoch().filter(([epoch]) => epoch > this.#seen);
    const fresh = this.#complete ? epochs.slice(-1) : epochs;
    this.#seen = this.#newest();
    same(this.#user(fresh.flatMap(([, rows]) => rows)), expected, how, `new rows of ${this.name}`);
  }

  #newest(): number {
    return this.#sink.rowsByEpoch().at(-1)?.[0] ?? 0;
  }

  /** Rejects with the query's failure; for a query that must fail. */
  async failure(): Promise<unknown> {
    try {
      await this.#cluster.processAllAvailable(this.name);
    } catch (e) {
      return e;
    }
    throw new assert.AssertionError({ message: `the query ${this.name} did not fail` });
  }

  /** Stops the query on all nodes and starts it again from its checkpoint. */
  restart(): Promise<void> {
    return this.#cluster.stopAndStart(this.name);
  }
}

const same = (
  actual: readonly unknown[],
  expected: readonly unknown[],
  { order = "any" }: Expectation,
  message: string,
): void => {
  const wanted = order === "exact" ? expected : inOrderOf(expected, actual);
  // The difference of two lists that agree as far as they can is the shortest to read.
  if (!isDeepStrictEqual(actual, wanted)) assert.deepEqual(actual, wanted, `${message} differ`);
};

/** The expected rows, those that the actual rows have first and in their order. */
const inOrderOf = (expected: readonly unknown[], actual: readonly unknown[]): unknown[] => {
  const left = [...expected];
  const found: unknown[] = [];
  for (const row of actual) {
    const i = left.findIndex((x) => isDeepStrictEqual(x, row));
    if (i >= 0) found.push(...left.splice(i, 1));
  }
  return [...found, ...left];
};
