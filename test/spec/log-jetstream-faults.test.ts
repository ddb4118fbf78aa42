/** JetStream logs while their server is killed, paused, re-created on, or refuses; on every server version found. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { position } from "../../src/core/brands.ts";
import {
  AuthorizationError,
  LogConflictError,
  RecordTooLargeError,
  UnavailableError,
} from "../../src/core/errors.ts";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import type { Log } from "../../src/log/log.ts";
import { type Broker, brokers, startBroker } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";
import { take, text } from "./log-contract.ts";

interface Bed {
  readonly broker: Broker;
  readonly store: JetStreamStore;
  readonly log: Log;
}

const bed = async (t: TestContext, path: string, extra: object = {}): Promise<Bed> => {
  const broker = await startBroker({ path, ...extra });
  const store = await JetStreamStore.open({ servers: broker.url, clock: systemClock });
  t.after(async () => {
    await store.close();
    await broker.stop();
  });
  return { broker, store, log: await store.open("faults.q.mail") };
};

/** Takes each number once, in order, as a reader of frames does (law 3); fails on a jump. */
class Counter {
  next = 0;
  repeated = 0;
  see(n: number): void {
    assert.ok(n <= this.next, `${n} came before ${this.next}: a record is lost or out of order`);
    if (n === this.next) this.next++;
    else this.repeated++;
  }
}

const reads = async (log: Log, total: number): Promise<Counter> => {
  const counter = new Counter();
  const reader = log.reader(position(1));
  let at = 1;
  while (counter.next < total)
    for (const r of await reader.next()) {
      assert.equal(r.position, at++, "positions are contiguous");
      counter.see(parseInt(text(r)));
    }
  reader.close();
  return counter;
};

const pad = "x".repeat(2000);

for (const { version, path } of brokers()) {
  test(
    `JetStream ${version}: killed (-9) under append and read: nothing lost, order kept`,
    { timeout: 120_000 },
    async (t) => {
      const { broker, log } = await bed(t, path);
      const total = 40_000;
      const publisher = log.publisher();
      const reading = reads(log, total);
      let sent = 0;
      const sending = (async () => {
        for (; sent < total; sent++) await publisher.send(Buffer.from(`${sent} ${pad}`));
        await publisher.delivered();
      })();
      for (let kill = 1; kill <= 3; kill++) {
        while (sent < (total * kill) / 4) await new Promise((resolve) => setImmediate(resolve));
        await broker.kill();
        await broker.start();
      }
      await sending;
      const counter = await reading;
      t.diagnostic(`${counter.repeated} records stored twice`);
      assert.equal(counter.next, total);
    },
  );

  test(
    `JetStream ${version}: compare-and-set appends through a kill: each at most once, all acknowledged there`,
    { timeout: 120_000 },
    async (t) => {
      const { broker, log } = await bed(t, path);
      const acknowledged = new Map<number, string>();
      let over = false;
      const writing = (async () => {
        for (let last = 0, n = 0; !over; n++) {
          try {
            last = await log.append(Buffer.from(`${n}`), { expectLast: position(last) });
            acknowledged.set(last, `${n}`);
          } catch (e) {
            assert.ok(e instanceof UnavailableError || e instanceof LogConflictError, String(e));
            last = (await log.bounds()).last;
          }
        }
      })();
      for (let kill = 0; kill < 2; kill++) {
        const before = acknowledged.size;
        while (acknowledged.size < before + 200) await new Promise((resolve) => setImmediate(resolve));
        await broker.restart();
      }
      over = true;
      await writing;
      const all = await take(log.reader(position(1)), (await log.bounds()).last);
      for (const [at, value] of acknowledged) assert.equal(text(all[at - 1]!), value);
      const values = all.map(text);
      assert.equal(new Set(values).size, values.length, "no entry twice");
    },
  );

  test(`JetStream ${version}: a paused server is noticed and waited out`, { timeout: 120_000 }, async (t) => {
    const { broker, log } = await bed(t, path);
    const reader = log.reader(position(1));
    await log.append(Buffer.from("0"));
    await take(reader, 1);
    await broker.pause();
    await assert.rejects(log.append(Buffer.from("lost?"), { expectLast: position(1) }), UnavailableError);
    broker.resume();
    const last = (await log.bounds()).last;
    await log.append(Buffer.from("end"), { expectLast: last });
    const got = await take(reader, last);
    assert.equal(text(got.at(-1)!), "end");
    reader.close();
  });

  test(
    `JetStream ${version}: wrong credentials fail at once, an unreachable server is waited for`,
    { timeout: 120_000 },
    async (t) => {
      const broker = await startBroker({ path, auth: { user: "u", password: "right" }, t });
      const open = (password: string) =>
        JetStreamStore.open({ servers: broker.url, user: "u", password, clock: systemClock });
      await assert.rejects(open("wrong"), AuthorizationError);
      const inUrl = broker.url.replace("nats://", "nats://u:right@");
      await (await JetStreamStore.open({ servers: inUrl, clock: systemClock })).close();
      await broker.kill();
      const said: string[] = [];
      const waiting = JetStreamStore.open({
        servers: broker.url,
        user: "u",
        password: "right",
        clock: systemClock,
        onStatus: (m) => said.push(m),
      });
      while (said.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await broker.start();
      await (await waiting).close();
      assert.match(said[0]!, /cannot be reached.*trying again/);
      assert.match(said[1]!, /Connected/);
    },
  );

  test(`JetStream ${version}: a record above max_payload is refused with both sizes`, async (t) => {
    const { log } = await bed(t, path, { maxPayload: 65_536 });
    const large = new Uint8Array(70_000);
    await assert.rejects(log.append(large), (e: unknown) => {
      assert.ok(e instanceof RecordTooLargeError);
      assert.match(e.message, /70000 bytes.*max_payload of 65536/);
      return true;
    });
    const publisher = log.publisher();
    void publisher.send(large);
    await assert.rejects(publisher.delivered(), RecordTooLargeError);
  });

  test(`JetStream ${version}: many readers share the connection's bytes`, { timeout: 120_000 }, async (t) => {
    const { store } = await bed(t, path);
    const logs = await Promise.all(
      Array.from({ length: 30 }, (_, i) => store.open(`many.q.${i}`, { maxBytes: 4 * 2 ** 20 })),
    );
    const payload = new Uint8Array(200_000);
    await Promise.all(
      logs.map(async (log) => {
        for (let i = 0; i < 10; i++) await log.append(payload);
      }),
    );
    const got = await Promise.all(logs.map((log) => take(log.reader(position(1)), 10)));
    assert.ok(
      got.every((records) => records.every((r, i) => r.position === i + 1 && r.payload.length === 200_000)),
    );
  });
}
