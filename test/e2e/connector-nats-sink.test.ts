/** The NATS sink against real servers (law 11), on every promised version that is here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "nats";
import { batchFromRows } from "../../src/core/batch.ts";
import { FencedError, RecordTooLargeError } from "../../src/core/errors.ts";
import { ROW_HEADER } from "../../src/connectors/nats-scan.ts";
import { natsSinkFactory } from "../../src/connectors/nats-sink.ts";
import { brokers, missingBrokers } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";
import {
  bed,
  collect,
  epochs,
  expected,
  put,
  rowsOfEpoch,
  SCHEMA,
  stored,
  writerOn,
} from "./connector-bed.ts";

for (const { version, reason } of missingBrokers()) test(`nats sink on ${version}`, { skip: reason });

for (const { version, path } of brokers()) {
  for (const [fence, subjects] of [
    ["own stream", ["out"]],
    ["shared stream", ["out", "other.>"]],
  ] as const) {
    test(`sink on ${version}, ${fence}: each row once through zombies, restarts and a killed server`, async (t) => {
      const b = await bed(t, path);
      await b.nats.createStream({ name: "OUT", subjects, atomic: true });
      const options = { subject: "out" };
      const first = writerOn(b, options);
      await first.open(0);
      await epochs(first, 1, 2, 1500);
      // A successor that knows of nothing, and the first one, a zombie, going on: epochs alternate and overlap.
      const second = writerOn(b, options);
      await second.open(0);
      await epochs(second, 1, 3, 1500);
      await epochs(first, 3, 4, 1500);
      await Promise.all([epochs(first, 5, 7, 1500), epochs(second, 4, 7, 1500)]);
      assert.deepEqual(await stored(b.nats, "OUT", "out"), expected(1, 7, 1500));
      // Others write other subjects meanwhile; the server is killed in the middle of an epoch.
      const third = writerOn(b, options);
      await third.open(7);
      const noise =
        fence === "own stream"
          ? Promise.resolve()
          : put(
              b.nats,
              "other.x",
              Array.from({ length: 500 }, (_, i) => i),
            );
      await third.begin(8);
      const rows = rowsOfEpoch(8, 3000);
      for (let i = 0; i < 3000; i += 500) {
        await third.write(batchFromRows(SCHEMA, rows.slice(i, i + 500)));
        if (i === 1000) await b.broker.restart();
      }
      await third.commit(8);
      await noise;
      assert.deepEqual(await stored(b.nats, "OUT", "out"), [
        ...expected(1, 7, 1500),
        ...expected(8, 8, 3000),
      ]);
      // A start in the middle of an epoch.
      const fourth = writerOn(b, options);
      await fourth.open(8);
      await fourth.begin(9);
      const half = rowsOfEpoch(9, 2500);
      await fourth.write(batchFromRows(SCHEMA, half.slice(0, 1200)));
      await fourth.write(batchFromRows(SCHEMA, half.slice(1200)));
      const fifth = writerOn(b, options);
      await fifth.open(8);
      await Promise.all([fourth.commit(9), epochs(fifth, 9, 9, 2500)]);
      assert.deepEqual((await stored(b.nats, "OUT", "out")).slice(-2500), expected(9, 9, 2500));
    });
  }

  test(`sink on ${version}: somebody else in its own stream costs neither a row nor doubles one`, async (t) => {
    const b = await bed(t, path);
    await b.nats.createStream({ name: "OUT", subjects: ["out"] });
    const w = writerOn(b, { subject: "out" });
    await w.open(0);
    const intruder = (async () => {
      for (let i = 0; i < 20; i++) await put(b.nats, "out", [{ k: "intruder", v: i }]);
    })();
    await Promise.all([epochs(w, 1, 3, 2000), intruder]);
    const again = writerOn(b, { subject: "out" });
    await again.open(0);
    await epochs(again, 1, 4, 2000);
    const key = (x: unknown): string => JSON.stringify(x);
    const mine = (await stored(b.nats, "OUT")).filter((x) => !key(x).includes("intruder"));
    assert.deepEqual(mine.map(key).sort(), expected(1, 4, 2000).map(key).sort());
  });

  for (const subjects of [["out"], ["out", "other"]])
    test(`sink on ${version}: a full stream (${subjects.join(", ")}) holds it back until there is room`, async (t) => {
      const b = await bed(t, path);
      await b.nats.createStream({ name: "OUT", subjects, maxBytes: 300_000, atomic: true });
      const w = writerOn(b, { subject: "out" });
      await w.open(0);
      const seen = new Map<number, unknown>();
      let done = false;
      const writing = epochs(w, 1, 4, 1500).finally(() => (done = true));
      const client = await connect({ servers: b.broker.url });
      const manager = await client.jetstreamManager();
      let held = false;
      while (!done) {
        const before = (await b.nats.stream("OUT"))!.lastSequence;
        await new Promise((resolve) => setTimeout(resolve, 100));
        const info = (await b.nats.stream("OUT"))!;
        held ||= !done && info.lastSequence === before;
        await collect(b.nats, "OUT", seen);
        // The newest message stays: output must outlive a scan (law 11).
        if (info.lastSequence === before && info.messages > 1)
          await manager.streams.purge("OUT", { seq: info.lastSequence });
      }
      await writing;
      await collect(b.nats, "OUT", seen);
      await client.close();
      assert.ok(held, "it was held back");
      // Sequence s holds row s - 1, and none was dropped: 2.9.10 does that at its limit, so the sink keeps below it by itself.
      const rows = expected(1, 4, 1500);
      for (const [sequence, row] of seen) assert.deepEqual(row, rows[sequence - 1]);
      assert.equal((await b.nats.stream("OUT"))!.lastSequence, rows.length);
      assert.equal(seen.size, rows.length);
    });

  test(`sink on ${version}: guarantees, partitions, groups, refusals`, async (t) => {
    const b = await bed(t, path, 4096);
    await b.nats.createStream({ name: "OUT", subjects: ["out.>"] });
    await t.test("a new checkpoint begins anew; a lease that is gone stops the writer", async () => {
      for (const queryId of ["one", "two"]) {
        const w = writerOn(b, { subject: "out.anew" }, { queryId });
        await w.open(0);
        await epochs(w, 1, 2, 3);
      }
      assert.deepEqual(await stored(b.nats, "OUT", "out.anew"), [...expected(1, 2, 3), ...expected(1, 2, 3)]);
      let alive = true;
      const w = writerOn(b, { subject: "out.anew" }, { queryId: "two", alive: () => alive });
      await w.open(2);
      alive = false;
      await assert.rejects(epochs(w, 3, 3, 3), FencedError);
      assert.equal((await stored(b.nats, "OUT", "out.anew")).length, 12);
    });
    await t.test("at least once, at most once", async () => {
      for (const guarantee of ["atLeastOnce", "atMostOnce"]) {
        const w = writerOn(b, { subject: `out.${guarantee}`, guarantee });
        await w.open(1);
        await epochs(w, guarantee === "atMostOnce" ? 1 : 2, 3, 900);
        assert.deepEqual(await stored(b.nats, "OUT", `out.${guarantee}`), expected(2, 3, 900));
      }
    });
    await t.test("ndjson groups rows; another grouping goes on where the first stopped", async () => {
      const w = writerOn(b, { subject: "out.nd", encoding: "ndjson", rowsPerMessage: "7" });
      await w.open(0);
      await epochs(w, 1, 1, 20);
      await w.begin(2);
      const rows = rowsOfEpoch(2, 20);
      await w.write(batchFromRows(SCHEMA, rows.slice(0, 10)));
      await w.commit(2); // A crash: ten rows of the epoch are there.
      const again = writerOn(b, { subject: "out.nd", encoding: "ndjson", rowsPerMessage: "6" });
      await again.open(1);
      await epochs(again, 1, 3, 20);
      assert.deepEqual(await stored(b.nats, "OUT", "out.nd"), expected(1, 3, 20));
      const last = await b.nats.lastOfSubject("OUT", "out.nd");
      assert.deepEqual(
        last!.headers!.filter(([n]) => n === ROW_HEADER),
        [[ROW_HEADER, "q/id/0/3/18/2"]],
      );
    });
    await t.test("a row above max_payload, wrong targets, a subject per partition", async () => {
      const w = writerOn(b, { subject: "out.big" });
      await w.open(0);
      await w.begin(1);
      await assert.rejects(
        async () =>
          w.write(
            batchFromRows(SCHEMA, [
              ["small", 0],
              ["x".repeat(5000), 1],
            ]),
          ),
        (e: unknown) =>
          e instanceof RecordTooLargeError &&
          /row 1 of epoch 1 .* 5\d\d\d bytes; the server takes 4096/.test(e.message),
      );
      await assert.rejects(writerOn(b, { subject: "nobody" }).open(0), /no stream stores subject nobody/);
      await assert.rejects(
        writerOn(b, { subject: "out.x", stream: "OTHER" }).open(0),
        /stored by stream OUT, not by OTHER/,
      );
      const made = writerOn(b, { subject: "made.{partition}", createStream: "true" }, { partition: 3 });
      await made.open(0);
      await epochs(made, 1, 1, 2);
      assert.deepEqual((await b.nats.stream("MADE"))!.subjects, ["made.*"]);
      assert.deepEqual(await stored(b.nats, "MADE", "made.3"), expected(1, 1, 2));
      const spec = { format: "nats", options: { subject: "out.x" }, partitionBy: [] };
      assert.match(
        await natsSinkFactory.inspect!(spec, { store: b.store, clock: systemClock }),
        /expected last subject sequence/,
      );
      const check = (options: Record<string, string>): Promise<void> =>
        natsSinkFactory.checkTarget!(
          { format: "nats", options, partitionBy: [] },
          { store: b.store, clock: systemClock },
        );
      await check({ subject: "out.{partition}" });
      await check({ subject: "later", createStream: "true" });
      await assert.rejects(check({ subject: "nobody.{partition}" }), /no stream stores subject nobody\.0/);
    });
  });
}
