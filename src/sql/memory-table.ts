/**
 * A table that lives in the session: `CREATE TABLE t (…)` without USING, or USING memory. Rows come by INSERT: at once from batches, epoch by epoch
 * from streaming queries, each of which has a sink of its own in it. It is read as a batch.
 */
import { MemorySink } from "../connectors/memory-sink.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";

export class MemoryTable {
  readonly schema: Schema;
  #inserted: Row[] = [];
  readonly #sinks = new Map<string, MemorySink>();

  constructor(schema: Schema) {
    this.schema = schema;
  }

  insert(rows: readonly Row[]): void {
    this.#inserted = [...this.#inserted, ...rows];
  }

  /** The sink of a query; one that starts again under its name goes on in it. */
  sink(queryName: string): MemorySink {
    let sink = this.#sinks.get(queryName);
    if (sink === undefined) this.#sinks.set(queryName, (sink = new MemorySink()));
    return sink;
  }

  /** What was inserted, then what each query has committed. */
  rows(): readonly Row[] {
    return [...this.#inserted, ...[...this.#sinks.values()].flatMap((s) => s.rows())];
  }

  clear(): void {
    this.#inserted = [];
    for (const sink of this.#sinks.values()) sink.clear();
  }
}
