/**
 * Random walks of copies of one actor that upload into one log at the same time, are killed and go on as zombies (law 10): manifests are found as if all records
 * were read, the newest has the highest epoch, and the two newest can be restored at any moment.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { position } from "../../src/core/brands.ts";
import { UnavailableError } from "../../src/core/errors.ts";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { download, findSnapshots, type FoundManifest } from "../../src/state/snapshot.ts";
import { SnapshotWriter } from "../../src/state/snapshot-writer.ts";
import { type Lineage, StateStore } from "../../src/state/store.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";
import { unpack } from "../../src/codec/msgpack.ts";

const LINEAGE: Lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
/** Long enough that the table is folded again and again. */
const LONG = "x".repeat(70_000);
const CHUNK_BYTES = 30_000;

interface Pending {
  readonly store: () => Promise<void>;
  readonly refuse: () => void;
  readonly loseAnswer: () => Promise<void>;
}

/** A copy's own connection: its appends wait until they are let go, in any order. */
const heldLog = (log: Log, pending: Pending[]): Log =>
  ({
    name: log.name,
    created: log.created,
    recordBytesMax: CHUNK_BYTES,
    bounds: () => log.bounds(),
    get: (at: Parameters<Log["get"]>[0]) => log.get(at),
    reader: (at: Parameters<Log["reader"]>[0]) => log.reader(at),
    trim: (to: Parameters<Log["trim"]>[0]) => log.trim(to),
    setMaxBytes: (n: number) => log.setMaxBytes(n),
    append: (...args: Parameters<Log["append"]>) =>
      new Promise((resolve, reject) => {
        pending.push({
          store: () => log.append(...args).then(resolve, reject),
          refuse: () => reject(new UnavailableError("refused")),
          loseAnswer: async () => {
            await log.append(...args).catch(() => {});
            reject(new UnavailableError("no answer"));
          },
        });
      }),
  }) as unknown as Log;

let writers = 0;

class Copy {
  readonly pending: Pending[] = [];
  readonly store = new StateStore(new MemoryBackend(), "s", LINEAGE);
  readonly large = this.store.registry("a").keyed<string>("t");
  readonly small = this.store.registry("b").keyed<number>("t");
  readonly writer: SnapshotWriter;
  readonly failures: unknown[] = [];
  epoch = 0;
  uploading = false;
  dead = false;

  constructor(log: Log) {
    this.writer = new SnapshotWriter(heldLog(log, this.pending), this.store, `w${String(++writers)}`);
  }

  async commit(): Promise<void> {
    const e = ++this.epoch;
    this.large.put("k", `${String(e)}${LONG}`, 0);
    this.small.put(`k${String(e)}`, e, 0);
    await this.store.commit(this.store.drain(e, e * 10, "m"));
  }

  begin(): void {
    const record = this.store.committed;
    if (this.uploading || this.dead || record === undefined) return;
    this.uploading = true;
    this.writer
      .prepare(record)
      .then((u) => this.writer.upload(u))
      // What fails ends the actor.
      .catch(() => (this.dead = true))
      .finally(() => (this.uploading = false));
  }
}

/** As recovery does it. */
const recovered = async (log: Log): Promise<Copy> => {
  const copy = new Copy(log);
  for await (const found of findSnapshots(log, LINEAGE)) {
    const snapshot = await download(log, found);
    if (snapshot === undefined) continue;
    await copy.store.adopt(snapshot.record, snapshot.blobs, () => true);
    copy.epoch = snapshot.record.epoch;
    break;
  }
  return copy;
};

/** By reading every record, newest first. */
const scanned = async (log: Log): Promise<number[]> => {
  const { first, last } = await log.bounds();
  const found: number[] = [];
  for (let at = first as number; at <= last; at++) {
    const r = await log.get(position(at));
    if (r?.headers?.["mr"] !== "manifest") continue;
    found.unshift((unpack(r.payload) as { record: { epoch: number } }).record.epoch);
  }
  return found;
};

const check = async (log: Log): Promise<void> => {
  const found: FoundManifest[] = [];
  for await (const f of findSnapshots(log, LINEAGE)) found.push(f);
  const epochs = found.map((f) => f.manifest.record.epoch);
  assert.deepEqual(epochs, await scanned(log));
  assert.deepEqual(
    epochs,
    [...epochs].sort((a, b) => b - a),
    "the newest has the highest epoch",
  );
  for (const f of found.slice(0, 2)) {
    const snapshot = await download(log, f);
    assert.ok(
      snapshot !== undefined,
      `epoch ${String(f.manifest.record.epoch)} of ${epochs.join(" ")} is whole`,
    );
    const { store, small, large } = new Copy(log);
    await store.adopt(snapshot.record, snapshot.blobs, () => true);
    assert.equal(small.size, snapshot.record.epoch);
    assert.equal(large.get("k"), `${String(snapshot.record.epoch)}${LONG}`);
  }
};

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit" as const), copy: fc.nat(2), n: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("upload" as const), copy: fc.nat(2), n: fc.nat(7) }) },
  { weight: 14, arbitrary: fc.record({ do: fc.constant("store" as const), copy: fc.nat(4), n: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refuse" as const), copy: fc.nat(4), n: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), copy: fc.nat(4), n: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("start" as const), copy: fc.nat(2), n: fc.nat(7) }) },
);

test("copies that upload at the same time leave snapshots that are found, ordered and whole", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 150 }), async (steps) => {
      const log = await new MemoryStore({ clock: new VirtualClock() }).open("a.b.snap");
      const copies = [new Copy(log), new Copy(log)];
      for (const s of steps) {
        const copy = copies[s.copy % copies.length]!;
        const take = (): Pending | undefined =>
          copy.pending.splice(s.n % Math.max(1, copy.pending.length), 1)[0];
        if (s.do === "commit") await copy.commit();
        else if (s.do === "upload") copy.begin();
        // The old one goes on as a zombie.
        else if (s.do === "start") copies.unshift(await recovered(log));
        else if (s.do === "refuse") take()?.refuse();
        else if (s.do === "lose") await take()?.loseAnswer();
        else
          for (let k = 0; k <= s.n; k++) {
            await take()?.store();
            await settle(2);
          }
        await settle(2);
        await check(log);
      }
    }),
    { numRuns: 30 },
  );
});
