/**
 * Stream-stream join: a symmetric hash join on equal keys plus any condition; port 0 is the left side. Semantics: Spark's.
 *
 *  - Each side keeps its rows; a row of one side meets the kept rows of the other, so every pair is found once, whichever comes first.
 *  - A side with `late` drops rows whose time is <= the late watermark. At the end of an epoch a side forgets rows that the watermark evicts; an
 *    unmatched one of a preserved side comes out with nulls then (anti: comes out then).
 *  - A row that fails what the condition says about its own side alone can never match: it is not kept, and comes out at once where it is preserved.
 *  - Null keys match nothing, except that a full join takes null = null, as Spark does (the other joins filter null keys before).
 *  - "anti" between streams is an extension.
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { JOIN_PAIRS_MAX, RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { takeVector, valueAt, type Vector } from "../core/vector.ts";
import { compileExprs } from "../expr/compile.ts";
import { SlotList } from "../state/slot-list.ts";
import { compileAll, compilePairColumns, type SplitCondition, splitCondition } from "./join-condition.ts";
import { JoinState, rowsOfKey } from "./join-state.ts";
import { KeyIndex } from "./key-index.ts";
import type {
  EpochContext,
  Operator,
  OperatorContext,
  OperatorKind,
  OperatorMetrics,
  Output,
} from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import { keepRows, liveRows, overRows } from "./row-errors.ts";
import { physicalRows } from "./stored-columns.ts";
import {
  describeStreamJoin,
  type JoinSide,
  streamJoinFingerprint,
  streamJoinStateKeys,
  type StreamJoinSpec,
} from "./stream-join-spec.ts";
import { notLate, timesOf } from "./watermark-time.ts";

interface Side {
  readonly spec: JoinSide;
  readonly isLeft: boolean;
  /** Unmatched rows come out. */
  readonly preserved: boolean;
  readonly state: JoinState;
  readonly evaluate: ReturnType<typeof compileExprs>;
  readonly preFilter: ReturnType<typeof compileAll>;
}

interface Evaluated {
  /** Keys, then the evicting and the late expression where the side has them. */
  readonly vectors: readonly Vector[];
  /** What the condition says about the row alone. */
  readonly passes: Uint8Array | undefined;
}

/** A batch on its way through the join. */
interface Probe {
  readonly side: Side;
  readonly other: Side;
  readonly batch: Batch;
  /** Physical numbers of its live rows. */
  readonly live: Int32Array;
  /** 1 for live rows that have matched. */
  readonly matched: Uint8Array;
  /** Live rows that come out without a partner, in order, and how many of them did. */
  readonly alone: SlotList;
  aloneDone: number;
  /** Candidate pairs not tested yet: live row, slot of the other side. In order of the rows. */
  readonly rows: SlotList;
  readonly slots: SlotList;
}

class StreamJoin implements Operator {
  readonly #spec: StreamJoinSpec;
  readonly #inputs: readonly Schema[];
  readonly #output: Schema;
  readonly #counts = new OperatorCounts();
  readonly #split: SplitCondition;
  readonly #pairs: ReturnType<typeof compilePairColumns>;
  #sides!: readonly [Side, Side];
  #index!: KeyIndex;
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: StreamJoinSpec, inputs: readonly Schema[], output: Schema) {
    this.#spec = spec;
    this.#inputs = inputs;
    this.#output = output;
    this.#split = splitCondition(spec.condition, inputs[0]!.fields.length);
    this.#pairs = compilePairColumns(this.#split.both, inputs[0]!, inputs[1]!);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const { how, left, right, routeBy } = this.#spec;
    const side = (isLeft: boolean): Side => {
      const spec = isLeft ? left : right;
      const extra = spec.evict.kind === "value" ? [spec.evict.expr] : [];
      const late = spec.late === undefined ? [] : [spec.late.expr];
      const state = new JoinState(isLeft ? "left" : "right", this.#inputs[isLeft ? 0 : 1]!, spec.keys);
      context.tables.add(state.table);
      return {
        spec,
        isLeft,
        preserved: how === "full" || how === (isLeft ? "left" : "right") || (isLeft && how === "anti"),
        state,
        evaluate: compileExprs([...spec.keys, ...extra, ...late]),
        preFilter: compileAll(isLeft ? this.#split.left : this.#split.right),
      };
    };
    this.#sides = [side(true), side(false)];
    this.#index = new KeyIndex(
      left.keys.map((k) => k.type),
      routeBy,
      (capacity) => {
        for (const s of this.#sides) s.state.growKeys(capacity);
      },
    );
  }

  restored(): void {
    for (const s of this.#sides) s.state.restore(this.#index);
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, port: number, out: Output): void {
    const side = this.#sides[port]!;
    const run = (b: Batch): { readonly batch: Batch; readonly result: Evaluated } =>
      overRows(b, this.#context.onRowError, (x) => ({
        vectors: side.evaluate(x, this.#epoch),
        passes: side.preFilter(x, rowCount(x), this.#epoch),
      }));
    let { batch: rows, result } = run(batch);
    const { late } = side.spec;
    if (late !== undefined && !this.#epoch.final) {
      const mask = notLate(result.vectors.at(-1)!, rowCount(rows), late.form, this.#epoch.lateWatermarkMs);
      if (mask !== undefined) {
        // Late rows of a join are counted only: the two sides have no schema in common for `late()`.
        this.#counts.late(mask.reduce((sum, m) => sum + 1 - m, 0));
        ({ batch: rows, result } = run(keepRows(rows, mask)));
      }
    }
    if (rowCount(rows) > 0) this.#join(side, rows, result, out);
  }

  #join(side: Side, batch: Batch, { vectors, passes }: Evaluated, out: Output): void {
    const n = rowCount(batch);
    const other = this.#sides[side.isLeft ? 1 : 0];
    const keys = vectors.slice(0, side.spec.keys.length);
    const ids = new Int32Array(n);
    this.#index.lookup(keys, n, ids);
    const matched = new Uint8Array(n);
    const probe: Probe = {
      ...{ side, other, batch, matched, live: liveRows(batch), aloneDone: 0 },
      ...{ alone: new SlotList(), rows: new SlotList(), slots: new SlotList() },
    };
    const kept = new SlotList();
    this.#probe(probe, ids, this.#nullKeys(side, keys, n), passes, kept, out);
    this.#settle(probe, out);
    const { how } = this.#spec;
    // A left row that has its answer needs no place in the state any more.
    const answered = side.isLeft && (how === "semi" || how === "anti");
    const rows = kept.data.subarray(0, kept.length);
    const stay = answered ? rows.filter((i) => matched[i] === 0) : rows;
    const marks = side.preserved ? matched : undefined;
    const evictAt = this.#evictTimes(side, vectors, n);
    side.state.add({ batch, keys, ids, evictAt, matched: marks }, stay, this.#index);
    this.#counts.updated(stay.length);
    this.#index.sweep(ids, n);
  }

  /** Collects the candidate pairs of all rows, testing many at a time; `kept` gets the rows that may be kept. */
  #probe(
    probe: Probe,
    ids: Int32Array,
    nullKeys: Uint8Array | undefined,
    passes: Uint8Array | undefined,
    kept: SlotList,
    out: Output,
  ): void {
    const { side, other, rows, slots } = probe;
    const { first, next } = other.state;
    for (let i = 0; i < ids.length; i++) {
      if (passes !== undefined && passes[i] === 0) {
        if (side.preserved) probe.alone.push(i);
        continue;
      }
      if (nullKeys !== undefined && nullKeys[i] === 1) {
        if (side.preserved) kept.push(i);
        continue;
      }
      kept.push(i);
      for (let slot = first[ids[i]!]!; slot >= 0;) {
        rows.push(i);
        slots.push(slot);
        slot = next[slot]!;
        if (rows.length >= JOIN_PAIRS_MAX) this.#settle(probe, out);
      }
    }
  }

  /** 1 for rows with a null in a key that nulls do not match. */
  #nullKeys(side: Side, keys: readonly Vector[], n: number): Uint8Array | undefined {
    const { how, nullSafe } = this.#spec;
    if (how === "full") return undefined;
    let out: Uint8Array | undefined;
    keys.forEach((v, k) => {
      if (v.nulls === undefined || nullSafe?.[k] === true) return;
      out ??= new Uint8Array(n);
      for (let i = 0; i < n; i++) out[i]! |= v.nulls[i]!;
    });
    return out;
  }

  #evictTimes(side: Side, vectors: readonly Vector[], n: number): Float64Array | undefined {
    const { evict, keys } = side.spec;
    if (evict.kind === "never") return undefined;
    if (evict.kind === "key") return timesOf(vectors[evict.key]!, n, evict.form);
    const { form, offsetMs, atMostMs = Infinity } = evict;
    const times = timesOf(vectors[keys.length]!, n, form);
    for (let i = 0; i < n; i++) times[i] = times[i]! > atMostMs ? Infinity : times[i]! - offsetMs;
    return times;
  }

  /** Tests the candidate pairs in one go, gives out what matches. */
  #settle(probe: Probe, out: Output): void {
    const { rows, slots, matched } = probe;
    const mask = rows.length === 0 ? undefined : this.#test(probe, rows.data, slots.data, rows.length);
    let n = 0;
    for (let k = 0; k < rows.length; k++) {
      if (mask !== undefined && mask[k] === 0) continue;
      rows.data[n] = rows.data[k]!;
      slots.data[n++] = slots.data[k]!;
    }
    const { how } = this.#spec;
    if (how === "semi" || how === "anti") this.#answer(probe, n, out);
    else {
      const { table } = probe.other.state;
      if (probe.other.preserved) for (let k = 0; k < n; k++) table.mark(slots.data[k]!);
      for (let k = 0; k < n; k++) matched[rows.data[k]!] = 1;
      this.#give(probe, n, out);
    }
    rows.length = slots.length = 0;
  }

  /** The condition over candidate pairs; when it throws, over each alone, and what throws is no match. */
  #test(probe: Probe, rows: Int32Array, slots: Int32Array, n: number): Uint8Array | undefined {
    try {
      return this.#testPairs(probe, rows, slots, n);
    } catch {
      return Uint8Array.from({ length: n }, (_, k) => {
        const [row, slot] = [rows.slice(k, k + 1), slots.slice(k, k + 1)];
        try {
          return this.#testPairs(probe, row, slot, 1)?.[0] ?? 1;
        } catch (error) {
          this.#context.onRowError(error, () => {
            const columns = this.#joined(probe, row, slot, 1);
            return columns.map((v) => valueAt(v, 0));
          });
          return 0;
        }
      });
    }
  }

  #testPairs(probe: Probe, rows: Int32Array, slots: Int32Array, n: number): Uint8Array | undefined {
    const { side, other, batch, live } = probe;
    const width = this.#inputs[0]!.fields.length;
    const mine = physicalRows(live, rows, n);
    return this.#pairs(
      (i) => {
        const at = i < width ? i : i - width;
        return i < width === side.isLeft
          ? takeVector(batch.columns[at]!, mine)
          : other.state.table.column(at).gather(slots, n);
      },
      n,
      this.#epoch,
    );
  }

  /** left ++ right of pairs; a slot below 0 stands for nulls. */
  #joined({ side, other, batch, live }: Probe, rows: Int32Array, slots: Int32Array, n: number): Vector[] {
    const physical = physicalRows(live, rows, n);
    const mine = batch.columns.map((v) => takeVector(v, physical));
    const theirs = other.state.gather(slots, n);
    return side.isLeft ? [...mine, ...theirs] : [...theirs, ...mine];
  }

  /** Gives the first `n` pairs, and among them the rows that come alone, in order of the rows. */
  #give(probe: Probe, n: number, out: Output): void {
    const { alone } = probe;
    let { rows, slots } = { rows: probe.rows.data, slots: probe.slots.data };
    const more = alone.length - probe.aloneDone;
    if (more > 0) {
      [rows, slots] = [new Int32Array(n + more), new Int32Array(n + more)];
      let at = 0;
      for (let k = 0; k <= n; k++) {
        const row = k < n ? probe.rows.data[k]! : Infinity;
        for (; probe.aloneDone < alone.length && alone.data[probe.aloneDone]! < row; at++) {
          rows[at] = alone.data[probe.aloneDone++]!;
          slots[at] = -1;
        }
        if (k === n) break;
        rows[at] = row;
        slots[at++] = probe.slots.data[k]!;
      }
      n += more;
    }
    for (let from = 0; from < n; from += RESULT_ROWS_MAX) {
      const to = Math.min(n, from + RESULT_ROWS_MAX);
      const columns = this.#joined(probe, rows.subarray(from, to), slots.subarray(from, to), to - from);
      out.emit(batchOf(this.#output, to - from, columns));
    }
  }

  /** Semi and anti: every left row has one answer, and goes with it. */
  #answer(probe: Probe, n: number, out: Output): void {
    const { side, other, rows, slots, matched, live, batch, alone } = probe;
    const semi = this.#spec.how === "semi";
    const given = new SlotList();
    if (side.isLeft) {
      for (let k = 0; k < n; k++) {
        const row = rows.data[k]!;
        if (matched[row] === 0 && semi) given.push(row);
        matched[row] = 1;
      }
      // Anti: rows that the condition refuses come out as they are.
      for (; probe.aloneDone < alone.length; probe.aloneDone++) given.push(alone.data[probe.aloneDone]!);
      if (given.length > 0) {
        const physical = physicalRows(live, given.data, given.length);
        const columns = batch.columns.map((v) => takeVector(v, physical));
        out.emit(batchOf(this.#output, given.length, columns));
      }
      return;
    }
    const { table } = other.state;
    for (let k = 0; k < n; k++) {
      if (table.isMarked(slots.data[k]!)) continue;
      table.mark(slots.data[k]!);
      given.push(slots.data[k]!);
    }
    if (given.length === 0) return;
    const answered = given.data.slice(0, given.length);
    if (semi) out.emit(batchOf(this.#output, answered.length, other.state.gather(answered, answered.length)));
    // Their keys are those of rows of this batch, which are swept at its end.
    other.state.remove(answered, this.#index);
  }

  end(out: Output): void {
    for (const side of this.#sides) {
      const { state } = side;
      const gone = this.#epoch.final ? state.all() : state.expired(this.#epoch.watermarkMs);
      if (side.preserved) this.#giveUnmatched(side, gone, out);
      if (this.#epoch.final) continue;
      this.#counts.removed(gone.length);
      const ids = state.remove(gone, this.#index);
      this.#index.sweep(ids, ids.length);
    }
    this.#counts.endEpoch();
  }

  #giveUnmatched(side: Side, gone: Int32Array, out: Output): void {
    const slots = gone.filter((s) => !side.state.table.isMarked(s));
    const { state: other } = this.#sides[side.isLeft ? 1 : 0];
    for (let from = 0; from < slots.length; from += RESULT_ROWS_MAX) {
      const part = slots.subarray(from, from + RESULT_ROWS_MAX);
      const n = part.length;
      const mine = side.state.gather(part, n);
      const nulls = this.#spec.how === "anti" ? [] : other.gather(new Int32Array(n).fill(-1), n);
      out.emit(batchOf(this.#output, n, side.isLeft ? [...mine, ...nulls] : [...nulls, ...mine]));
    }
  }

  lookUp(key: Row): Readonly<Record<string, unknown>> | undefined {
    return rowsOfKey(key, streamJoinStateKeys(this.#spec).types, this.#index, this.#sides);
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

export const streamJoinKind: OperatorKind<StreamJoinSpec> = {
  kind: "streamJoin",
  stateful: true,
  create: (spec, inputs, output) => new StreamJoin(spec, inputs, output),
  describe: describeStreamJoin,
  stateFingerprint: streamJoinFingerprint,
  stateKeys: streamJoinStateKeys,
  wantsEmptyEpoch: (spec, before, after) =>
    (spec.left.evict.kind !== "never" || spec.right.evict.kind !== "never") && after > before,
};
