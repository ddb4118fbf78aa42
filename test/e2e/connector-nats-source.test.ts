/** The NATS source against real servers, on every promised version that is here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "nats";
import { ConfigurationError, DataLossError, LogRecreatedError } from "../../src/core/errors.ts";
import { brokers, missingBrokers } from "../support/broker.ts";
import { bed, opened, put, read, SCHEMA, sourceOn } from "./connector-bed.ts";

for (const { version, reason } of missingBrokers()) test(`nats source on ${version}`, { skip: reason });

for (const { version, path } of brokers()) {
  test(`source on ${version}`, async (t) => {
    const b = await bed(t, path);
    for (const name of ["IN_A", "IN_B"])
      await b.nats.createStream({ name, subjects: [`${name.toLowerCase()}.>`] });
    await put(b.nats, "in_a.x", [{ k: "a", v: 1 }, { k: "a", v: 2 }, "{oops", { k: "a", v: 4 }]);
    await put(b.nats, "in_b.x", [{ k: "b", v: 1 }]);

    await t.test("streams by pattern, limits in proportion, replays the same", async () => {
      const s = sourceOn(b, { stream: "IN_*" }, SCHEMA);
      assert.equal(await s.parallelism(), 2);
      const e = await opened(s);
      const first = await e.plan({ maxOffsets: 4 });
      assert.deepEqual(
        first.map((r) => r.split),
        ["IN_A", "IN_B"],
      );
      const second = await e.plan({});
      assert.deepEqual(await e.plan({}), []);
      const ranges = [...first, ...second];
      const rows = await read(s, ranges);
      assert.deepEqual(
        rows.filter((r) => r[0] !== "b"),
        [
          ["a", 1],
          ["a", 2],
          [null, null],
          ["a", 4],
        ].slice(0, rows.length - 1),
      );
      assert.equal(rows.length, 5);
      assert.deepEqual(
        await read(s, ranges.toReversed()),
        (await Promise.all(ranges.toReversed().map((r) => read(s, [r])))).flat(),
      );
      await e.close();
    });

    await t.test(
      "hints plan without asking; a stream that appears later joins from its first message",
      async () => {
        const s = sourceOn(b, { stream: "IN_*", startingOffsets: "latest" }, SCHEMA);
        const e = await opened(s);
        assert.deepEqual(await e.plan({}), []);
        const reader = s.reader();
        const from = { sequence: 2, created: (await b.nats.stream("IN_B"))!.created };
        const hint = new Promise<void>((resolve) =>
          reader.prefetch!("IN_B", from, (to) => {
            e.available!("IN_B", to);
            resolve();
          }),
        );
        await put(b.nats, "in_b.y", [{ k: "b", v: 2 }]);
        await hint;
        const ranges = await e.plan({});
        assert.deepEqual(
          ranges.map((r) => [r.split, (r.to as { sequence: number }).sequence]),
          [
            ["IN_A", 5],
            ["IN_B", 3],
          ],
        );
        assert.deepEqual(await read(s, ranges), [["b", 2]]);
        await b.nats.createStream({ name: "IN_C", subjects: ["in_c.>"] });
        await put(b.nats, "in_c.x", [{ k: "c", v: 1 }]);
        assert.deepEqual(await read(s, await e.plan({})), [["c", 1]]);
        await reader.close();
      },
    );

    await t.test("messages as they are; a subject filter; starting and ending offsets", async () => {
      // Refused where the source is made, before anything is read.
      assert.throws(() => sourceOn(b, { stream: "IN_B", encoding: "raw" }, SCHEMA), /encoding "raw" gives/);
      const raw = sourceOn(b, { stream: "IN_B", subject: "in_b.y" }, undefined, "batch");
      const rows = await read(raw, await (await opened(raw)).plan({}));
      assert.equal(rows.length, 1);
      const [stream, subject, payload, headers, sequence, timestamp] = rows[0]!;
      assert.deepEqual(
        [stream, subject, Buffer.from(payload as Uint8Array).toString(), headers, sequence],
        ["IN_B", "in_b.y", '{"k":"b","v":2}', [], 2],
      );
      assert.ok(Math.abs((timestamp as number) - Date.now()) < 60_000);
      const cut = sourceOn(
        b,
        { stream: "IN_A", startingOffsets: '{"IN_A":2}', endingOffsets: '{"IN_A":3}' },
        SCHEMA,
        "batch",
      );
      assert.deepEqual(await read(cut, await (await opened(cut)).plan({})), [["a", 2]]);
    });

    await t.test("what is lost or re-created is an error that names it", async () => {
      const s = sourceOn(b, { stream: "IN_A" }, SCHEMA);
      const planned = await (await opened(s)).plan({});
      await b.nats.createStream({ name: "LOSS", subjects: ["loss"], maxBytes: 1_000_000 });
      const ends = { IN_A: { sequence: 2, created: "yesterday" } };
      await assert.rejects(
        opened(s, ends),
        (x: unknown) => x instanceof LogRecreatedError && /IN_A/.test(x.message),
      );
      const gone = { ...planned[0]!, from: { sequence: 1, created: "yesterday" } };
      await assert.rejects(read(s, [gone]), LogRecreatedError);
      await assert.rejects(
        opened(sourceOn(b, { stream: "NONE" }, SCHEMA)),
        (x: unknown) => x instanceof ConfigurationError && /NONE/.test(x.message),
      );
      await assert.rejects(
        opened(sourceOn(b, { stream: "IN_A" }, SCHEMA), { IN_Z: { sequence: 1, created: "x" } }),
        (x: unknown) => x instanceof DataLossError && /IN_Z/.test(x.message),
      );
    });
  });

  test(`source on ${version}: a stream that no hint told of is planned beside one that it did`, async (t) => {
    const b = await bed(t, path);
    const subjects = ["in.a", "in.b"];
    for (const subject of subjects)
      await b.nats.createStream({ name: subject.toUpperCase().replace(".", "_"), subjects: [subject] });
    const e = await opened(sourceOn(b, { stream: "IN_*" }, SCHEMA));
    const [a] = await e.plan({});
    assert.equal(a, undefined);
    for (const subject of subjects) await put(b.nats, subject, [{ k: subject, v: 1 }]);
    const { created } = (await b.nats.stream("IN_A"))!;
    // As if the actor of the other stream were on its way to another node.
    e.available!("IN_A", { sequence: 2, created });
    const planned = await e.plan({});
    assert.deepEqual(
      planned.map((r) => [r.split, (r.to as { sequence: number }).sequence]),
      [
        ["IN_A", 2],
        ["IN_B", 2],
      ],
    );
    assert.deepEqual(e.unread!(), []);
  });

  test(`source on ${version}: what a reader of this process has got is planned without asking the broker`, async (t) => {
    const b = await bed(t, path);
    await b.nats.createStream({ name: "IN", subjects: ["in"] });
    const s = sourceOn(b, { stream: "IN" }, SCHEMA);
    const e = await opened(s);
    const { created } = (await b.nats.stream("IN"))!;
    const reader = s.reader();
    const first = new Promise<void>((resolve) =>
      reader.prefetch!("IN", { sequence: 1, created }, () => resolve()),
    );
    await put(
      b.nats,
      "in",
      Array.from({ length: 3 }, (_, v) => ({ k: "a", v })),
    );
    await first;
    await b.broker.kill();
    const [range] = await e.plan({});
    assert.ok((range!.to as { sequence: number }).sequence > 1);
    assert.deepEqual(await e.plan({ maxOffsets: 0 }), []);
    await reader.close();
  });

  test(`source on ${version}: messages that are gone`, async (t) => {
    const b = await bed(t, path);
    await b.nats.createStream({ name: "IN", subjects: ["in"] });
    await put(
      b.nats,
      "in",
      Array.from({ length: 10 }, (_, v) => ({ k: "a", v })),
    );
    const s = sourceOn(b, { stream: "IN" }, SCHEMA);
    const planned = await (await opened(s)).plan({});
    const client = await connect({ servers: b.broker.url });
    await (await client.jetstreamManager()).streams.purge("IN", { seq: 6 });
    await client.close();
    const names = (e: unknown): boolean =>
      e instanceof DataLossError && /stream IN .* sequences 1 to 5 /.test(e.message);
    await assert.rejects(read(s, planned), names);
    await assert.rejects(opened(s, { IN: planned[0]!.from }), names);
    const lenient = sourceOn(b, { stream: "IN", failOnDataLoss: "false" }, SCHEMA);
    assert.equal((await read(lenient, planned)).length, 5);
    assert.equal(
      (await read(lenient, await (await opened(lenient, { IN: planned[0]!.from })).plan({}))).length,
      5,
    );
  });

  test(`source on ${version}: the server is killed under a reader; every row once, in order`, async (t) => {
    const b = await bed(t, path);
    await b.nats.createStream({ name: "IN", subjects: ["in"] });
    const filler = "x".repeat(200);
    await put(
      b.nats,
      "in",
      Array.from({ length: 60_000 }, (_, v) => ({ k: filler, v })),
    );
    const s = sourceOn(b, { stream: "IN" }, SCHEMA);
    const e = await opened(s);
    const reader = s.reader();
    let next = 0;
    let restarted: Promise<void> | undefined;
    for (
      let range = await e.plan({ maxOffsets: 7_000 });
      range.length > 0;
      range = await e.plan({ maxOffsets: 7_000 })
    )
      for await (const batch of reader.read(range[0]!, new AbortController().signal)) {
        for (const v of (batch.columns[1] as { data: Float64Array }).data) assert.equal(v, next++);
        if (next > 20_000) restarted ??= b.broker.restart();
      }
    await restarted;
    assert.equal(next, 60_000);
    await reader.close();
  });
}
