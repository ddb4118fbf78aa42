/** Law 8: the limit that was raised for one large epoch goes back to the setting once the mailbox is trimmed behind it. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { mailboxLog } from "../../src/log/names.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { BEGIN_MS, type InputTriple, prepare, shape } from "./shapes.ts";

const LIMIT = 2_000;

test("a mailbox that was raised for a large epoch is lowered behind its trim", async (t) => {
  let store!: MemoryStore;
  const cluster = new TestCluster({
    partitions: 1,
    settings: { mailboxMaxBytes: LIMIT, snapshotIntervalMs: 500 },
    store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
  });
  t.after(() => cluster.close());
  const query = prepare(shape("two sources, windowed count, append"));
  await cluster.start(query.request);
  const mailbox = (): number => store.current(mailboxLog("test", "q", 2, 1, 0))!.maxBytes;
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 50) await cluster.advanceTime(50);
  };
  // A key each, so that partial aggregation leaves all of them.
  const large = Array.from({ length: 200 }, (_, i): InputTriple => [`key ${i}`, i, BEGIN_MS]);
  for (const source of ["a", "b"]) await query.add(source, large);
  await pass(2_000);
  assert.ok(mailbox() > LIMIT, "the epoch did not fit, so the limit was raised");
  for (let n = 0; n < 6; n++) {
    for (const source of ["a", "b"]) await query.add(source, [["k", n, BEGIN_MS + n]]);
    await pass(1_000);
  }
  assert.equal(mailbox(), LIMIT);
});
