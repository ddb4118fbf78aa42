/**
 * Tables beyond memory (laws 2, 6, 7, 13): whatever is on disk, however often the actor crashes, starts from its disk or a snapshot, is split and merged:
 * an operator gives what it gives with everything in memory, in the same order.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { batchFromRows, rowsOf } from "../../../src/core/batch.ts";
import { type DataType, DOUBLE, field, LONG, STRING, WINDOW } from "../../../src/core/data-type.ts";
import { keyGroupOf, ownsKeyGroup } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import type { Log } from "../../../src/log/log.ts";
import { MemoryStore } from "../../../src/log/memory-log.ts";
import type { TypedExpr } from "../../../src/expr/ast.ts";
import { aggregateKind, type AggregateSpec } from "../../../src/operators/aggregate.ts";
import { dedupKind, type DedupSpec } from "../../../src/operators/dedup.ts";
import type { Operator, OperatorKind } from "../../../src/operators/operator.ts";
import { MemoryBackend } from "../../../src/state/backend.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import { isPart, StateMemory } from "../../../src/state/parts.ts";
import { download, findSnapshots } from "../../../src/state/snapshot.ts";
import { SnapshotWriter } from "../../../src/state/snapshot-writer.ts";
import { type BlobInfo, STATE_FORMAT, StateStore, type Lineage } from "../../../src/state/store.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { aggregate, slot } from "../../support/typed-exprs.ts";

interface Subject<Spec> {
  readonly kind: OperatorKind<Spec>;
  readonly spec: Spec;
  readonly ordered: boolean;
}

const input = schemaOf([field("w", WINDOW), field("k", STRING), field("n", LONG), field("v", DOUBLE)]);
const output = schemaOf([
  field("w", WINDOW),
  field("k", STRING),
  field("n", LONG),
  field("c", LONG),
  field("s", DOUBLE),
]);
const keys = [slot(input, "w"), slot(input, "k"), slot(input, "n")];
const COUNT_AND_SUM = [aggregate("count", []), aggregate("sum", [slot(input, "v")])];
const sums = (
  mode: AggregateSpec["mode"],
  closes: boolean,
  aggregates: AggregateSpec["aggregates"] = COUNT_AND_SUM,
): Subject<AggregateSpec> => ({
  kind: aggregateKind,
  spec: {
    phase: "single",
    mode,
    keys,
    aggregates,
    eventTime: closes ? { key: 0, form: "window" } : undefined,
  },
  ordered: true,
});
const asType = (child: TypedExpr, type: DataType): TypedExpr => ({
  kind: "cast",
  child,
  type,
  nullable: true,
  tryCast: false,
});
const whole = asType(slot(input, "v"), LONG);
/** Their states are kept as changes. */
const DISTINCT = [whole, asType(whole, STRING)].map((e) => aggregate("count", [e], LONG, { distinct: true }));
const dedup = (expires: DedupSpec["expires"]): Subject<DedupSpec> => ({
  kind: dedupKind,
  spec: { keys, late: expires.kind === "never" ? undefined : { expr: keys[0]!, form: "window" }, expires },
  ordered: true,
});

const KEY_TYPES = [WINDOW, STRING, LONG];
const groupOf = (row: Row): number => keyGroupOf(hashRow(row.slice(0, 3), KEY_TYPES));
const all = (): boolean => true;

interface Epoch {
  readonly rows: readonly Row[];
  readonly watermarkMs: number;
  /** What happens after it. */
  readonly after: "nothing" | "crash" | "lost" | "rescale";
}

/** One partition: an operator on a store, which dies and comes back. */
class Life<Spec> {
  readonly subject: Subject<Spec>;
  readonly lineage: Lineage;
  readonly index: number;
  readonly of: number;
  readonly memory: StateMemory | undefined;
  backend: MemoryBackend;
  readonly log: Log;
  store!: StateStore;
  operator!: Operator;
  snapshots!: SnapshotWriter;
  pending = Promise.resolve();

  constructor(subject: Subject<Spec>, log: Log, index: number, of: number, topology: number, bytes?: number) {
    this.subject = subject;
    this.log = log;
    this.index = index;
    this.of = of;
    this.memory = bytes === undefined ? undefined : new StateMemory(bytes);
    this.backend = new MemoryBackend(this.memory);
    this.lineage = { checkpoint: "c", stage: 1, topology, partition: index, fingerprint: "f" };
    this.start();
  }

  start(): void {
    this.store = new StateStore(this.backend, "p", this.lineage);
    const { kind, spec } = this.subject;
    this.operator = kind.create(spec, [input], output);
    this.operator.open?.({
      tables: this.store.registry("op"),
      partition: this.index,
      partitions: this.of,
      ownsKeyGroup: ownsKeyGroup(this.index, this.of),
      onRowError: (e) => {
        throw e;
      },
    });
    this.snapshots = new SnapshotWriter(this.log, this.store, `${Math.random()}`);
  }

  async epoch(epoch: number, e: Epoch, late: number, commit = true): Promise<Row[]> {
    const rows: Row[] = [];
    const out = { emit: (b: Parameters<typeof rowsOf>[0]) => void rows.push(...rowsOf(b)), late: () => {} };
    this.operator.begin?.({
      epoch,
      clockMs: 0,
      timeZone: "UTC",
      lateWatermarkMs: late,
      watermarkMs: e.watermarkMs,
      final: false,
    });
    const mine = e.rows.filter((r) => ownsKeyGroup(this.index, this.of)(groupOf(r)));
    for (let i = 0; i < mine.length; i += 7)
      await this.operator.process(batchFromRows(input, mine.slice(i, i + 7)), 0, out);
    await this.operator.end?.(out);
    const pending = this.store.drain(epoch, epoch, "m");
    if (commit) await this.store.commit(pending);
    return rows;
  }

  async crash(): Promise<void> {
    this.start();
    const record = await this.store.readRecord();
    if (record === undefined) return;
    await this.store.loadLocal(record, all);
    this.operator.restored?.();
  }

  snapshot = async (): Promise<boolean> =>
    this.snapshots.upload(await this.snapshots.prepare(this.store.committed!));

  async lost(): Promise<void> {
    this.backend = new MemoryBackend(this.memory);
    this.start();
    const found = (await findSnapshots(this.log, this.lineage).next()).value!;
    const receive = this.store.receive.bind(this.store);
    const snapshot = (await download(this.log, found, { takes: () => "receive", receive }))!;
    await this.store.adopt(snapshot.record, snapshot.blobs, all);
    this.operator.restored?.();
  }

  /** Starts from the final snapshots of the partitions before. */
  async inherit(from: readonly Life<Spec>[], epoch: number): Promise<void> {
    const keeps = ownsKeyGroup(this.index, this.of);
    for (const old of from) {
      const found = (await findSnapshots(old.log, old.lineage).next()).value!;
      assert.equal(found.manifest.record.epoch, epoch);
      const receive = this.store.receive.bind(this.store);
      const takes = (info: BlobInfo): "receive" | "keep" | "drop" =>
        info.part === undefined ? "keep" : keeps(info.part) ? "receive" : "drop";
      const snapshot = (await download(old.log, found, { takes, receive }))!;
      this.store.nextOrigin();
      for (const [i, info] of snapshot.record.blobs.entries())
        if (!isPart(info)) this.store.loadBlob(info.table, snapshot.blobs[i]!, keeps, info.epoch);
        else if (keeps(info.part)) await this.store.addPart(info);
    }
    const { lineage } = this.store;
    await this.store.rebase({
      format: STATE_FORMAT,
      lineage,
      epoch,
      resume: 1,
      mailboxCreated: "m",
      maxima: {},
    });
    this.operator.restored?.();
  }
}

const run = async <Spec>(
  subject: Subject<Spec>,
  epochs: readonly Epoch[],
  bytes: number | undefined,
): Promise<{ rows: string[][]; counts: number[]; spilled: number }> => {
  const logs = new MemoryStore({ clock: new VirtualClock() });
  let topology = 1;
  const log = (p: number): Promise<Log> => logs.open(`s.t${topology}.p${p}`);
  let lives = [new Life(subject, await log(0), 0, 1, topology, bytes)];
  const rows: string[][] = [];
  const counts: number[] = [];
  let [late, spilled] = [0, 0];
  for (const [i, e] of epochs.entries()) {
    const epoch = i + 1;
    const out: Row[] = [];
    // An attempt that is not committed leaves nothing behind.
    if (e.after === "crash" && bytes !== undefined && i > 0)
      for (const life of lives) {
        await life.epoch(epoch, e, late, false);
        await life.crash();
      }
    for (const life of lives) out.push(...(await life.epoch(epoch, e, late)));
    late = e.watermarkMs;
    rows.push(out.map((r) => JSON.stringify(r)));
    const stats = lives.map((l) => l.store.stats().get("op")!);
    counts.push(stats.reduce((n, s) => n + s.rows, 0));
    spilled += stats.reduce((n, s) => n + (s.spilledRows ?? 0), 0);
    for (const life of lives) {
      assert.equal(await life.snapshot(), true);
      if (bytes === undefined) continue;
      if (e.after === "crash") await life.crash();
      if (e.after === "lost") await life.lost();
    }
    if (e.after !== "rescale") continue;
    topology++;
    const of = lives.length === 1 ? 2 : 1;
    const next = await Promise.all(
      Array.from({ length: of }, async (_, p) => new Life(subject, await log(p), p, of, topology, bytes)),
    );
    for (const life of next) await life.inherit(lives, epoch);
    lives = next;
  }
  return { rows, counts, spilled };
};

const row = fc
  .tuple(fc.nat(5), fc.nat(12), fc.option(fc.nat(9)), fc.double({ noNaN: true, min: -1e3, max: 1e3 }))
  .map(([w, k, n, v]): Row => [[w * 1000, w * 1000 + 1000], k === 12 ? null : `key${k}`, n, v]);

const epochsOf = (moves: readonly Epoch["after"][]): fc.Arbitrary<readonly Epoch[]> =>
  fc
    .array(
      fc.record({
        rows: fc.array(row, { maxLength: 60 }),
        watermarkMs: fc.nat(900),
        after: fc.constantFrom(...moves),
      }),
      { minLength: 3, maxLength: 9 },
    )
    .map((list) => {
      let at = 0;
      return list.map((e, i) => {
        at += e.watermarkMs;
        const shifted = e.rows.map(([w, ...rest]): Row => {
          const [start, end] = w as [number, number];
          return [[start + i * 500, end + i * 500], ...rest];
        });
        return { ...e, rows: shifted, watermarkMs: at };
      });
    });

const SUBJECTS: Readonly<Record<string, Subject<never>>> = {
  append: sums("append", true),
  "update with closing": sums("update", true),
  "update for ever": sums("update", false),
  "distinct counts with closing": sums("update", true, DISTINCT),
  "distinct counts for ever": sums("update", false, DISTINCT),
  "dedup for ever": dedup({ kind: "never" }),
  "dedup by event time": dedup({ kind: "key", key: 0, form: "window" }),
} as never;

for (const [name, subject] of Object.entries(SUBJECTS))
  test(`on disk or not, ${name}: the same rows in the same order, the same counts`, async () => {
    let spilled = 0;
    await fc.assert(
      fc.asyncProperty(
        epochsOf(["nothing", "nothing", "crash", "lost", "rescale"]),
        fc.constantFrom(0, 1_000, 4_000),
        async (epochs, bytes) => {
          const [small, plenty] = [await run(subject, epochs, bytes), await run(subject, epochs, undefined)];
          spilled += small.spilled;
          assert.deepEqual(small.rows, plenty.rows);
          assert.deepEqual(small.counts, plenty.counts);
          assert.equal(plenty.spilled, 0);
        },
      ),
      { numRuns: 60 },
    );
    assert.ok(spilled > 0, "nothing went to disk");
  });
