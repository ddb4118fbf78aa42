/** NatsAccess on every server version found. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { LogConflictError, LogGapError, LogRecreatedError, UnavailableError } from "../../src/core/errors.ts";
import { sleep } from "../../src/core/clock.ts";
import { PUBLISH_SILENCE_MS } from "../../src/core/limits.ts";
import { openNats } from "../../src/log/jetstream/access.ts";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import { type NatsAccess, type NatsReader, natsOf, type NatsRecord } from "../../src/log/nats-access.ts";
import { brokers, startBroker } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
const text = (r: NatsRecord): string => new TextDecoder().decode(r.payload);

const access = async (t: TestContext, path: string): Promise<NatsAccess> => {
  const broker = await startBroker({ path });
  const nats = await openNats({ servers: broker.url, clock: systemClock });
  t.after(async () => {
    await nats.close();
    await broker.stop();
  });
  return nats;
};

const all = async (reader: NatsReader): Promise<NatsRecord[]> => {
  const out: NatsRecord[] = [];
  for (;;) {
    const more = await reader.next();
    if (more.length === 0) return out;
    out.push(...more);
  }
};

for (const { version, path } of brokers()) {
  test(`NatsAccess on ${version}: streams, lookups, messages`, { timeout: 120_000 }, async (t) => {
    const nats = await access(t, path);
    await nats.createStream({ name: "IN_A", subjects: ["in.a.>"] });
    await nats.createStream({ name: "IN_B", subjects: ["in.b"] });
    await nats.createStream({ name: "OTHER", subjects: ["other"] });
    assert.deepEqual(
      (await nats.streams("IN_*")).map((s) => s.name),
      ["IN_A", "IN_B"],
    );
    assert.deepEqual(
      (await nats.streams("OTHER")).map((s) => s.name),
      ["OTHER"],
    );
    assert.equal(await nats.stream("NONE"), undefined);
    assert.deepEqual(await nats.streamsOfSubject("in.a.x"), ["IN_A"]);
    assert.deepEqual(await nats.streamsOfSubject("nobody"), []);
    const before = Date.now();
    const headers = [
      ["k", "v"],
      ["k", "w"],
      ["n", "1"],
    ] as const;
    const ack = await nats.publish({ subject: "in.a.x", payload: bytes("one"), headers });
    assert.deepEqual(ack, { stream: "IN_A", sequence: 1, duplicate: false });
    for (const found of [await nats.message("IN_A", 1), await nats.lastOfSubject("IN_A", "in.a.x")]) {
      assert.equal(text(found!), "one");
      assert.deepEqual(found!.headers, headers);
      assert.ok(found!.timestamp > before - 5_000 && found!.timestamp < Date.now() + 5_000);
    }
    assert.equal(await nats.lastOfSubject("IN_A", "in.a.none"), undefined);
    const [read] = await nats.reader("IN_A", { from: 1 }).next();
    assert.deepEqual(read!.headers, headers);
    assert.equal(read!.subject, "in.a.x");
    assert.ok(Math.abs(read!.timestamp - (await nats.message("IN_A", 1))!.timestamp) < 1);
    await assert.rejects(nats.publish({ subject: "nobody", payload: bytes("x") }), (e: unknown) => {
      assert.ok(e instanceof UnavailableError);
      assert.equal(e.errorClass, "NO_STREAM");
      return true;
    });
  });

  test(`NatsAccess on ${version}: expectations`, { timeout: 120_000 }, async (t) => {
    const nats = await access(t, path);
    await nats.createStream({ name: "OUT", subjects: ["out.*"] });
    const put = (subject: string, expect: object): Promise<unknown> =>
      nats.publish({ subject, payload: bytes("x") }, expect);
    await put("out.a", { lastSequence: 0, lastSubjectSequence: 0, stream: "OUT" });
    await put("out.b", { lastSubjectSequence: 0 });
    await assert.rejects(put("out.a", { lastSubjectSequence: 0 }), LogConflictError);
    await assert.rejects(put("out.a", { lastSequence: 1 }), LogConflictError);
    await assert.rejects(put("out.a", { stream: "ELSE" }), LogConflictError);
    await put("out.a", { lastSubjectSequence: 1 });
    assert.equal((await nats.stream("OUT"))!.lastSequence, 3);
  });

  test(
    `NatsAccess on ${version}: a broker that answers late is not sent everything again`,
    { timeout: 120_000 },
    async (t) => {
      const broker = await startBroker({ path, t });
      const nats = await openNats({ servers: broker.url, clock: systemClock });
      t.after(() => nats.close());
      await nats.createStream({ name: "OUT", subjects: ["out"] });
      const count = 3000;
      const messages = Array.from({ length: count }, (_, i) => ({ subject: "out", payload: bytes(`${i}`) }));
      await broker.pause();
      const stored = nats.publishAll(messages);
      await sleep(systemClock, PUBLISH_SILENCE_MS + 600);
      broker.resume();
      await stored;
      const { lastSequence } = (await nats.stream("OUT"))!;
      assert.ok(lastSequence < count + 10, `${lastSequence} stored of ${count}`);
      const got = new Set((await all(nats.reader("OUT", { from: 1, to: lastSequence + 1 }))).map(text));
      assert.equal(got.size, count);
    },
  );

  test(
    `NatsAccess on ${version}: many messages, with and without a fence`,
    { timeout: 120_000 },
    async (t) => {
      const nats = await access(t, path);
      await nats.createStream({ name: "OUT", subjects: ["out.>"] });
      const messages = Array.from({ length: 3000 }, (_, i) => ({
        subject: `out.${i % 3}`,
        payload: bytes(`${i}`),
      }));
      assert.equal(await nats.publishAll(messages), 3000);
      assert.equal(await nats.publishAll(messages, { expectLast: 3000 }), 6000);
      await assert.rejects(nats.publishAll(messages, { expectLast: 5999 }), LogConflictError);
      assert.equal(await nats.publishAll([], { expectLast: 6000 }), 6000);
      // What followed the refused one in the window is stored where it belongs, or not at all.
      const { lastSequence } = (await nats.stream("OUT"))!;
      const behind = await all(nats.reader("OUT", { from: 6001, to: lastSequence + 1 }));
      behind.forEach((r, i) => assert.equal(text(r), `${i + 1}`));
      const got = await all(nats.reader("OUT", { from: 1, to: 6001 }));
      assert.deepEqual(
        got.map(text),
        [...messages, ...messages].map((m) => new TextDecoder().decode(m.payload)),
      );
      assert.deepEqual(
        (await all(nats.reader("OUT", { from: 10, to: 12 }))).map((r) => r.sequence),
        [10, 11],
      );
      const filtered = await all(nats.reader("OUT", { from: 1, to: 3000, filter: "out.1" }));
      assert.equal(filtered.length, 1000);
      assert.ok(filtered.every((r) => r.subject === "out.1"));
      assert.deepEqual(await all(nats.reader("OUT", { from: 1, to: 3000, filter: "out.none" })), []);
      assert.deepEqual(await all(nats.reader("OUT", { from: 6001, to: 6001 })), []);
    },
  );

  test(
    `NatsAccess on ${version}: atomic batches only where the server confirms them`,
    { timeout: 120_000 },
    async (t) => {
      const nats = await access(t, path);
      const s = await nats.createStream({ name: "ATOMIC", subjects: ["atomic.>"], atomic: true });
      assert.equal(s.atomicBatches, Number(version.split(".")[1]) >= 12);
      assert.equal((await nats.createStream({ name: "PLAIN", subjects: ["plain"] })).atomicBatches, false);
      const batch = (n: number) =>
        Array.from({ length: n }, (_, i) => ({ subject: "atomic.a", payload: bytes(`${i}`) }));
      if (!s.atomicBatches) return;
      assert.equal(await nats.atomicBatch(batch(1000), { lastSequence: 0 }), 1000);
      await assert.rejects(nats.atomicBatch(batch(3), { lastSequence: 0 }), LogConflictError);
      await assert.rejects(nats.atomicBatch(batch(3), { lastSubjectSequence: 7 }), LogConflictError);
      assert.equal(await nats.atomicBatch(batch(1), { lastSubjectSequence: 1000 }), 1001);
      await assert.rejects(nats.atomicBatch(batch(1001)), /1 to 1000/);
      assert.equal((await nats.stream("ATOMIC"))!.lastSequence, 1001);
    },
  );

  test(`NatsAccess on ${version}: gaps and re-created streams`, { timeout: 120_000 }, async (t) => {
    const broker = await startBroker({ path });
    const store = await JetStreamStore.open({ servers: broker.url, clock: systemClock });
    t.after(async () => {
      await store.close();
      await broker.stop();
    });
    const nats = natsOf(store)!;
    const log = await store.open("a.b.c");
    for (let i = 0; i < 5; i++) await log.append(bytes(`${i}`));
    await log.trim((await log.bounds()).last);
    assert.deepEqual(await nats.streams("MR_*"), [], "our own streams are not shown");
    await assert.rejects(nats.reader("MR_a_b_c", { from: 2 }).next(), LogGapError);
    const [first] = await nats.reader("MR_a_b_c", { from: 2, onGap: "skip" }).next();
    assert.equal(first!.sequence, 5);
    await assert.rejects(nats.reader("MR_a_b_c", { from: 5, created: "long ago" }).next(), LogRecreatedError);
    await assert.rejects(nats.reader("NONE", { from: 1 }).next(), LogRecreatedError);
  });
}
