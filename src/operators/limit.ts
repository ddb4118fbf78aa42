/**
 * LIMIT and OFFSET. On a stream the counts run over the whole query and are state; above an aggregate in complete mode and in batch they
 * run over one epoch. All rows must reach one actor.
 */
import { type Batch, rowCount } from "../core/batch.ts";
import type { KeyedTable } from "../state/table.ts";
import type { EpochContext, Operator, OperatorContext, OperatorKind, Output } from "./operator.ts";
import { liveRows, select } from "./row-errors.ts";

export interface LimitSpec {
  readonly limit: number | undefined;
  readonly offset: number;
  /** "query": over all epochs; "epoch": anew in each. */
  readonly scope: "query" | "epoch";
}

const SEEN = "seen";

class Limit implements Operator {
  readonly #spec: LimitSpec;
  #table: KeyedTable<number> | undefined;
  /** Rows that came so far in the scope. */
  #seen = 0;

  constructor(spec: LimitSpec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    if (this.#spec.scope === "query") this.#table = context.tables.keyed<number>("limit");
  }

  begin(_epoch: EpochContext): void {
    this.#seen = this.#table?.get(SEEN) ?? 0;
  }

  process(batch: Batch, _port: number, out: Output): void {
    const { limit, offset } = this.#spec;
    const n = rowCount(batch);
    const last = limit === undefined ? Infinity : offset + limit;
    const from = Math.min(n, Math.max(0, offset - this.#seen));
    const to = Math.max(from, Math.min(n, last - this.#seen));
    // Beyond the last row the count stands still: nothing changes any more.
    this.#seen = Math.min(last, this.#seen + n);
    if (from === 0 && to === n) out.emit(batch);
    else if (from < to) out.emit(select(batch, liveRows(batch).subarray(from, to)));
  }

  end(_out: Output): void {
    if (this.#table !== undefined && (this.#table.get(SEEN) ?? 0) !== this.#seen)
      this.#table.put(SEEN, this.#seen, 0);
  }
}

export const limitKind: OperatorKind<LimitSpec> = {
  kind: "limit",
  stateful: true,
  create: (spec) => new Limit(spec),
  describe: (spec) =>
    `Limit ${spec.limit ?? "all"}${spec.offset > 0 ? ` offset ${spec.offset}` : ""} per ${spec.scope}`,
  stateFingerprint: (spec) => (spec.scope === "query" ? `limit ${spec.limit} offset ${spec.offset}` : ""),
};
