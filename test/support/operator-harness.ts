/**
 * Runs one operator over epochs of rows, in ways that must not matter (O1): other batch cuts, restored from drained blobs after every epoch,
 * split over two partitions and merged again. `assertSameAnyhow` is the property every stateful operator's test uses.
 */
import assert from "node:assert/strict";
import { batchFromRows, rowsOf } from "../../src/core/batch.ts";
import { ownsKeyGroup, partitionOfKeyGroup } from "../../src/core/hash.ts";
import type { Schema } from "../../src/core/schema.ts";
import type { Row, Value } from "../../src/core/value.ts";
import type { Operator, OperatorKind, OperatorMetrics, Output } from "../../src/operators/operator.ts";
import { createKeyedTable } from "../../src/state/keyed-table.ts";
import type { KeyedTable, StateTable } from "../../src/state/table.ts";

export interface EpochInput {
  /** Rows with their port, in order. */
  readonly rows: readonly (readonly [port: number, row: Row])[];
  /** In(e). In(e-1) is the one of the epoch before. */
  readonly watermarkMs: number;
  readonly clockMs?: number;
  readonly final?: boolean;
}

export interface EpochOutput {
  readonly rows: readonly Row[];
  readonly late: readonly Row[];
  readonly metrics: OperatorMetrics | undefined;
  readonly stateRows: number;
}

export interface Subject<Spec> {
  readonly kind: OperatorKind<Spec>;
  readonly spec: Spec;
  readonly inputs: readonly Schema[];
  readonly output: Schema;
  /** Key group of a row; needed for `partitions`. */
  readonly route?: (port: number, row: Row) => number;
}

export interface RunOptions {
  /** Rows of the k-th batch; Infinity: as many as there are of one port in a row. */
  readonly cut?: (k: number) => number;
  readonly restoreEveryEpoch?: boolean;
  /** Partitions of epoch index i; a change moves the state by key group. Default 1. */
  readonly partitionsAt?: (epochIndex: number) => 1 | 2;
  /** Errors of rows are collected here instead of thrown. */
  readonly rowErrors?: unknown[];
}

class Actor<Spec> {
  readonly tables = new Map<string, StateTable>();
  readonly operator: Operator;
  readonly rows: Row[] = [];
  readonly late: Row[] = [];
  readonly #subject: Subject<Spec>;

  constructor(subject: Subject<Spec>, partition: number, partitions: number, options: RunOptions) {
    this.#subject = subject;
    this.operator = subject.kind.create(subject.spec, subject.inputs, subject.output);
    const add = <T extends StateTable>(table: T): T => {
      assert.ok(!this.tables.has(table.name), `table ${table.name} registered twice`);
      this.tables.set(table.name, table);
      return table;
    };
    this.operator.open?.({
      tables: {
        keyed: <V = Value>(name: string): KeyedTable<V> => add(createKeyedTable<V>(name)),
        add,
      },
      partition,
      partitions,
      ownsKeyGroup: ownsKeyGroup(partition, partitions),
      onRowError: (error) => {
        if (options.rowErrors === undefined) throw error;
        options.rowErrors.push(error);
      },
    });
  }

  get output(): Output {
    return {
      emit: (batch) => this.rows.push(...rowsOf(batch)),
      late: (batch) => this.late.push(...rowsOf(batch)),
    };
  }

  async feed(rows: EpochInput["rows"], cut: (k: number) => number): Promise<void> {
    for (let i = 0, k = 0; i < rows.length; k++) {
      const port = rows[i]![0];
      const most = Math.max(1, cut(k));
      let end = i;
      while (end < rows.length && rows[end]![0] === port && end - i < most) end++;
      const batch = batchFromRows(
        this.#subject.inputs[port]!,
        rows.slice(i, end).map(([, row]) => row),
      );
      await this.operator.process(batch, port, this.output);
      i = end;
    }
  }

  stateRows(): number {
    return [...this.tables.values()].reduce((sum, t) => sum + t.stats().rows, 0);
  }
}

/** Blobs of every table of one actor, as a store would keep them. */
type Blobs = Map<string, Uint8Array[]>;

const loadInto = <Spec>(
  actor: Actor<Spec>,
  blobs: readonly Blobs[],
  keeps: (group: number) => boolean,
): void => {
  for (const [name, table] of actor.tables)
    for (const from of blobs) for (const blob of from.get(name) ?? []) table.load(blob, keeps);
  actor.operator.restored?.();
};

const drainInto = <Spec>(actor: Actor<Spec>, blobs: Blobs, fold: boolean): void => {
  for (const [name, table] of actor.tables) {
    const delta = table.drain();
    const list = blobs.get(name) ?? [];
    if (delta !== undefined) list.push(delta);
    blobs.set(name, fold ? [table.base()] : list);
  }
};

/** Feeds the epochs and returns what each gave. With more than one partition, rows of an epoch are in partition order. */
export const runOperator = async <Spec>(
  subject: Subject<Spec>,
  epochs: readonly EpochInput[],
  options: RunOptions = {},
): Promise<EpochOutput[]> => {
  const cut = options.cut ?? (() => Infinity);
  const outputs: EpochOutput[] = [];
  let partitions = options.partitionsAt?.(0) ?? 1;
  const actorsOf = (blobs: readonly Blobs[] | undefined): Actor<Spec>[] =>
    Array.from({ length: partitions }, (_, p) => {
      const actor = new Actor(subject, p, partitions, options);
      loadInto(actor, blobs ?? [], ownsKeyGroup(p, partitions));
      return actor;
    });
  let actors = actorsOf(undefined);
  let blobs: Blobs[] = actors.map(() => new Map());
  for (const [i, epoch] of epochs.entries()) {
    const wanted = options.partitionsAt?.(i) ?? 1;
    if (wanted !== partitions) {
      partitions = wanted;
      actors = actorsOf(blobs);
      blobs = actors.map(() => new Map());
      actors.forEach((a, p) => drainInto(a, blobs[p]!, true));
    } else if (options.restoreEveryEpoch === true) {
      actors = actors.map((_, p) => {
        const actor = new Actor(subject, p, partitions, options);
        loadInto(actor, [blobs[p]!], () => true);
        return actor;
      });
    }
    const result: EpochOutput[] = [];
    for (const [p, actor] of actors.entries()) {
      actor.operator.begin?.({
        epoch: i + 1,
        lateWatermarkMs: i === 0 ? 0 : epochs[i - 1]!.watermarkMs,
        watermarkMs: epoch.watermarkMs,
        final: epoch.final ?? false,
        clockMs: epoch.clockMs ?? 0,
        timeZone: "UTC",
      });
      const mine = epoch.rows.filter(
        ([port, row]) => partitions === 1 || partitionOfKeyGroup(subject.route!(port, row), partitions) === p,
      );
      await actor.feed(mine, cut);
      await actor.operator.end?.(actor.output);
      drainInto(actor, blobs[p]!, i % 3 === 2);
      result.push({
        rows: actor.rows.splice(0),
        late: actor.late.splice(0),
        metrics: actor.operator.metrics?.(),
        stateRows: actor.stateRows(),
      });
    }
    outputs.push({
      rows: result.flatMap((r) => r.rows),
      late: result.flatMap((r) => r.late),
      metrics: result[0]!.metrics,
      stateRows: result.reduce((sum, r) => sum + r.stateRows, 0),
    });
  }
  for (const actor of actors) await actor.operator.close?.();
  return outputs;
};

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === "bigint"
      ? `${v}n`
      : Object.is(v, -0)
        ? "-0"
        : typeof v === "number" && !Number.isFinite(v)
          ? String(v)
          : v,
  );

/** Rows as sorted texts: a multiset. */
export const bag = (rows: readonly Row[]): string[] => rows.map(textOf).sort();

/** Runs every way and demands the same rows: in the same order while there is one partition, as multisets else. Returns the plain run. */
export const assertSameAnyhow = async <Spec>(
  subject: Subject<Spec>,
  epochs: readonly EpochInput[],
): Promise<EpochOutput[]> => {
  const plain = await runOperator(subject, epochs);
  const ordered = (o: readonly EpochOutput[]): unknown =>
    o.map((e) => ({ rows: e.rows, late: e.late, state: e.stateRows }));
  const asBags = (o: readonly EpochOutput[]): unknown =>
    o.map((e) => ({ rows: bag(e.rows), late: bag(e.late), state: e.stateRows }));
  const cuts: ((k: number) => number)[] = [() => 1, (k) => (k % 3) + 1];
  for (const cut of cuts)
    assert.deepEqual(ordered(await runOperator(subject, epochs, { cut })), ordered(plain), "batch cuts");
  const restored = await runOperator(subject, epochs, { restoreEveryEpoch: true, cut: (k) => (k % 2) + 1 });
  assert.deepEqual(ordered(restored), ordered(plain), "restored tables");
  if (subject.route !== undefined) {
    const rescaled = await runOperator(subject, epochs, {
      partitionsAt: (i) => ((i >> 1) % 2 === 0 ? 1 : 2),
      restoreEveryEpoch: true,
    });
    assert.deepEqual(asBags(rescaled), asBags(plain), "1, 2, 1, … partitions");
  }
  return plain;
};
