/** The log contract (src/log/log.ts, L1-L4) as tests, run for every implementation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { position } from "../../src/core/brands.ts";
import {
  ConfigurationError,
  LogConflictError,
  LogFullError,
  LogGapError,
  LogRecreatedError,
} from "../../src/core/errors.ts";
import type { Log, LogRecord, LogStore, Reader } from "../../src/log/log.ts";

export interface Subject {
  readonly store: LogStore;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (r: LogRecord): string => new TextDecoder().decode(r.payload);

/** The next `n` records of a reader. */
export const take = async (reader: Reader, n: number): Promise<LogRecord[]> => {
  const out: LogRecord[] = [];
  while (out.length < n) {
    const more = await reader.next();
    if (more.length === 0) throw new Error(`the reader ended after ${out.length} of ${n} records`);
    out.push(...more);
  }
  return out;
};

export const fill = async (log: Log, from: number, n: number): Promise<void> => {
  const publisher = log.publisher();
  for (let i = from; i < from + n; i++) await publisher.send(bytes(`r${i}`));
  await publisher.delivered();
  publisher.close();
};

type Body = (store: LogStore, log: Log) => Promise<void>;

const ordering: Record<string, Body> = {
  "positions are 1, 2, 3 in the order of the appends": async (_, log) => {
    for (let i = 1; i <= 5; i++) assert.equal(await log.append(bytes(`r${i}`)), i);
    const got = await take(log.reader(position(1)), 5);
    assert.deepEqual(
      got.map((r) => [r.position, text(r)]),
      [1, 2, 3, 4, 5].map((i) => [i, `r${i}`]),
    );
  },
  "an empty log has bounds 1 and 0": async (_, log) => {
    const b = await log.bounds();
    assert.deepEqual([b.first, b.last, b.created], [1, 0, log.created]);
  },
  "a windowed publisher keeps the order of many records": async (_, log) => {
    await fill(log, 1, 3000);
    assert.equal((await log.bounds()).last, 3000);
    const got = await take(log.reader(position(1)), 3000);
    got.forEach((r, i) => assert.equal(text(r), `r${i + 1}`));
  },
  "payloads and headers come back as they were": async (_, log) => {
    const payload = Uint8Array.from({ length: 70_000 }, (_, i) => i & 255);
    await log.append(payload, { headers: { "Epoch-Id": "7", other: "a b: c" } });
    await log.append(new Uint8Array(0));
    const [a, b] = await take(log.reader(position(1)), 2);
    assert.deepEqual(Buffer.from(a!.payload), Buffer.from(payload));
    assert.deepEqual({ ...a!.headers }, { "Epoch-Id": "7", other: "a b: c" });
    assert.equal(b!.payload.length, 0);
    assert.equal(b!.headers, undefined);
    const publisher = log.publisher();
    await publisher.send(payload, { k: "v" });
    await publisher.delivered();
    assert.equal((await log.get(position(3)))?.headers?.["k"], "v");
  },
  "several publishers do not disturb each other": async (_, log) => {
    const writers = ["a", "b", "c"].map(async (w) => {
      const p = log.publisher();
      for (let i = 0; i < 300; i++) await p.send(bytes(`${w}${i}`));
      await p.delivered();
    });
    await Promise.all(writers);
    const got = (await take(log.reader(position(1)), 900)).map(text);
    for (const w of ["a", "b", "c"])
      assert.deepEqual(
        got.filter((x) => x.startsWith(w)),
        Array.from({ length: 300 }, (_, i) => `${w}${i}`),
      );
  },
};

const conditions: Record<string, Body> = {
  "compare-and-set: only the writer that knows the last position appends": async (_, log) => {
    assert.equal(await log.append(bytes("a"), { expectLast: position(0) }), 1);
    await assert.rejects(log.append(bytes("b"), { expectLast: position(0) }), LogConflictError);
    await assert.rejects(log.append(bytes("b"), { expectLast: position(2) }), LogConflictError);
    assert.equal(await log.append(bytes("b"), { expectLast: position(1) }), 2);
    assert.equal((await log.bounds()).last, 2);
  },
  "compare-and-set: of racing writers one wins": async (_, log) => {
    for (let round = 0; round < 10; round++) {
      const tries = Array.from({ length: 5 }, (_, w) =>
        log.append(bytes(`${w}`), { expectLast: position(round) }).then(
          () => 1,
          (e: unknown) => {
            assert.ok(e instanceof LogConflictError, String(e));
            return 0;
          },
        ),
      );
      assert.equal(
        (await Promise.all(tries)).reduce((a, b) => a + b, 0),
        1,
      );
    }
  },
  "the same log opened twice is one log": async (store, log) => {
    await log.append(bytes("a"));
    const again = await store.open(log.name);
    assert.equal(again.created, log.created);
    assert.equal(await again.append(bytes("b"), { expectLast: position(1) }), 2);
  },
};

const reading: Record<string, Body> = {
  "from any retained position": async (_, log) => {
    await fill(log, 1, 50);
    for (const from of [1, 2, 25, 50]) {
      const [r] = await take(log.reader(position(from)), 1);
      assert.deepEqual([r!.position, text(r!)], [from, `r${from}`]);
    }
  },
  "a reader waits for what comes": async (_, log) => {
    const reader = log.reader(position(1));
    const first = take(reader, 1);
    await log.append(bytes("late"));
    assert.equal(text((await first)[0]!), "late");
    const second = take(reader, 2);
    await log.append(bytes("later"));
    await log.append(bytes("latest"));
    assert.deepEqual((await second).map(text), ["later", "latest"]);
  },
  "a closed reader gives nothing": async (_, log) => {
    const reader = log.reader(position(1));
    const next = reader.next();
    reader.close();
    assert.deepEqual(await next, []);
    assert.deepEqual(await reader.next(), []);
  },
  "a slow reader loses nothing and is given bounded batches": async (_, log) => {
    const payload = new Uint8Array(100_000);
    const publisher = log.publisher();
    for (let i = 0; i < 200; i++) await publisher.send(payload);
    await publisher.delivered();
    const reader = log.reader(position(1));
    let next = 1;
    while (next <= 200) {
      const batch = await reader.next();
      assert.ok(batch.length * payload.length <= 9_000_000, `${batch.length} records at once`);
      for (const r of batch) assert.equal(r.position, next++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    reader.close();
  },
  "one record by its position": async (_, log) => {
    await fill(log, 1, 3);
    assert.equal(text((await log.get(position(2)))!), "r2");
    assert.equal(await log.get(position(4)), undefined);
  },
};

const trimming: Record<string, Body> = {
  "a trim forgets below its position, twice is once": async (_, log) => {
    await fill(log, 1, 20);
    await log.trim(position(11));
    await log.trim(position(11));
    await log.trim(position(3));
    const b = await log.bounds();
    assert.deepEqual([b.first, b.last], [11, 20]);
    assert.equal(await log.get(position(10)), undefined);
    assert.equal(text((await take(log.reader(position(11)), 1))[0]!), "r11");
  },
  "positions go on after everything was trimmed": async (_, log) => {
    await fill(log, 1, 5);
    await log.trim(position(6));
    const b = await log.bounds();
    assert.deepEqual([b.first, b.last], [6, 5]);
    assert.equal(await log.append(bytes("r6"), { expectLast: position(5) }), 6);
    assert.equal(text((await take(log.reader(position(6)), 1))[0]!), "r6");
  },
  "a position that is trimmed is a gap": async (_, log) => {
    await fill(log, 1, 10);
    await log.trim(position(8));
    await assert.rejects(log.reader(position(7)).next(), LogGapError);
  },
  "a trim under a reader 0, 1 or 7 records behind: every record, or a gap that is said": async (_, log) => {
    for (const behind of [0, 1, 7]) {
      await fill(log, 1, 20);
      const { last } = await log.bounds();
      const at = last + 1 - behind;
      const readers = [log.reader(position(at)), log.reader(position(at - 1))];
      // The second one is under way: it may hold records that the log then forgets.
      const begun = await readers[1]!.next();
      await log.trim(position(last + 1));
      const added = await log.append(bytes(`r${last + 1}`));
      for (const [i, reader] of readers.entries()) {
        const got = i === 0 ? [] : begun.map((r) => Number(r.position));
        const from = i === 0 ? at : at - 1;
        let gap = false;
        while (!gap && (got.at(-1) ?? 0) < added)
          await reader.next().then(
            (rs) => got.push(...rs.map((r) => Number(r.position))),
            (e: unknown) => {
              assert.ok(e instanceof LogGapError, String(e));
              gap = true;
            },
          );
        assert.deepEqual(
          got,
          got.map((_p, k) => from + k),
          `${behind} behind`,
        );
        if (behind === 0) assert.equal(gap, false, "nothing that it wanted was trimmed");
        reader.close();
      }
    }
  },
  "a position far behind the end is a gap": async (_, log) => {
    await fill(log, 1, 3);
    await assert.rejects(log.reader(position(9)).next(), LogGapError);
  },
};

const lives: Record<string, Body> = {
  "a re-created log is noticed by an idle reader": async (store, log) => {
    await fill(log, 1, 3);
    const reader = log.reader(position(1));
    await take(reader, 3);
    const waiting = assert.rejects(reader.next(), LogRecreatedError);
    await store.remove(log.name);
    const fresh = await store.open(log.name);
    assert.notEqual(fresh.created, log.created);
    await fill(fresh, 1, 5);
    await waiting;
    assert.equal((await fresh.bounds()).last, 5);
  },
  "a re-created log is noticed by a new reader of the old one": async (store, log) => {
    await fill(log, 1, 3);
    await store.remove(log.name);
    await fill(await store.open(log.name), 1, 5);
    await assert.rejects(log.reader(position(2)).next(), LogRecreatedError);
  },
  "a publisher and an append of a removed log fail for good": async (store, log) => {
    const publisher = log.publisher();
    await publisher.send(bytes("a"));
    await publisher.delivered();
    await store.remove(log.name);
    void publisher.send(bytes("b"));
    await assert.rejects(publisher.delivered(), LogRecreatedError);
    await assert.rejects(log.append(bytes("c")), LogRecreatedError);
    await assert.rejects(log.bounds(), LogRecreatedError);
  },
  "logs are listed by prefix and removed": async (store, log) => {
    const prefix = `${log.name}-list.`;
    for (const n of ["b", "a"]) await store.open(prefix + n);
    assert.deepEqual(await store.list(prefix), [`${prefix}a`, `${prefix}b`]);
    await store.remove(`${prefix}a`);
    await store.remove(`${prefix}a`);
    assert.deepEqual(await store.list(prefix), [`${prefix}b`]);
  },
  "a bad name is refused with a better one": async (store) => {
    await assert.rejects(store.open("s.my query.plan"), (e: unknown) => {
      assert.ok(e instanceof ConfigurationError);
      assert.match(`${e.message} ${e.hint}`, /my query.*my-query/s);
      return true;
    });
  },
};

const space: Record<string, Body> = {
  "a full log refuses with an error that names the limit": async (store, log) => {
    const small = await store.open(`${log.name}-small`, { maxBytes: 10_000 });
    const append = async (): Promise<void> => {
      for (;;) await small.append(new Uint8Array(1000));
    };
    await assert.rejects(append(), (e: unknown) => {
      assert.ok(e instanceof LogFullError, String(e));
      assert.match(e.message, /max_bytes.*10000/);
      return true;
    });
    const { last, bytes: held } = await small.bounds();
    assert.ok(last >= 5 && last < 10 && held <= 10_000);
  },
  "a publisher into a full log waits, says so, and goes on when there is room": async (store, log) => {
    const small = await store.open(`${log.name}-small`, { maxBytes: 10_000 });
    const publisher = small.publisher();
    const full = new Promise<string>((resolve) => publisher.onFull(resolve));
    for (let i = 0; i < 30; i++) void publisher.send(bytes(`${i}`.padEnd(1000, ".")));
    assert.match(await full, /max_bytes/);
    await small.setMaxBytes(200_000);
    await publisher.delivered();
    const got = (await take(small.reader(position(1)), (await small.bounds()).last)).map((r) =>
      parseInt(text(r)),
    );
    // Re-sent records may stand twice; a reader that takes each once, in order, gets all (law 3).
    let next = 0;
    for (const n of got) if (n === next) next++;
    assert.equal(next, 30);
  },
  "a log that is nearly full drops nothing for what still comes": async (store, log) => {
    const small = await store.open(`${log.name}-small`, { maxBytes: 40_000 });
    const append = (size: number): Promise<boolean> =>
      small.append(new Uint8Array(size)).then(
        () => true,
        () => false,
      );
    // Filled with large records, then small ones of every size try the room that is left.
    let stored = 0;
    while (await append(1_000)) stored++;
    for (let size = 200; size > 0; size--) if (await append(size)) stored++;
    for (let n = 0; n < 50; n++) if (await append(1)) stored++;
    const { first, last } = await small.bounds();
    assert.deepEqual([Number(first), Number(last)], [1, stored]);
  },
  "two publishers of small records into a full log lose none that were acknowledged": async (store, log) => {
    const small = await store.open(`${log.name}-small`, { maxBytes: 40_000 });
    const publishers = [small.publisher(), (await store.open(small.name)).publisher()];
    const full = Promise.all(publishers.map((p) => new Promise<string>((resolve) => p.onFull(resolve))));
    for (let i = 0; i < 400; i++) for (const p of publishers) void p.send(new Uint8Array(101));
    await full;
    assert.equal(Number((await small.bounds()).first), 1);
    await small.setMaxBytes(1_000_000);
    await Promise.all(publishers.map((p) => p.delivered()));
    const { first, last } = await small.bounds();
    assert.ok(Number(first) === 1 && last >= 800);
  },
  "a trim makes room": async (store, log) => {
    const small = await store.open(`${log.name}-small`, { maxBytes: 10_000 });
    const publisher = small.publisher();
    const full = new Promise<string>((resolve) => publisher.onFull(resolve));
    for (let i = 0; i < 12; i++) void publisher.send(new Uint8Array(1000));
    await full;
    await small.trim(position((await small.bounds()).last));
    await publisher.delivered();
  },
};

const bus: Record<string, Body> = {
  "the bus delivers to every subscriber until it leaves": async (store, log) => {
    const subject = `mr.${log.name}.-bus.wake`;
    const seen: string[] = [];
    let heard = (): void => {};
    const wait = (): Promise<void> => new Promise((resolve) => (heard = resolve));
    const end = store.bus.subscribe(subject, (p) => {
      seen.push(Buffer.from(p).toString());
      heard();
    });
    const publishUntil = async (message: string): Promise<void> => {
      const done = wait();
      // Unreliable: repeated until heard.
      const timer = setInterval(() => store.bus.publish(subject, bytes(message)), 20);
      store.bus.publish(subject, bytes(message));
      await done;
      clearInterval(timer);
    };
    await publishUntil("a");
    await publishUntil("b");
    end();
    assert.ok(seen.includes("a") && seen.at(-1) === "b");
  },
};

const GROUPS = { ordering, conditions, reading, trimming, lives, space, bus };

/** Registers the tests for the stores that `open` gives; each test has logs of its own. */
export const logContract = (name: string, open: () => Promise<Subject>): void => {
  test(`log contract: ${name}`, async (t) => {
    const subject = await open();
    t.after(() => subject.close());
    let n = 0;
    for (const [group, bodies] of Object.entries(GROUPS))
      for (const [title, body] of Object.entries(bodies))
        await t.test(`${group}: ${title}`, { timeout: 30_000 }, async () => {
          const log = await subject.store.open(`contract.${group}-${++n}`, { maxBytes: 64 * 1024 * 1024 });
          await body(subject.store, log);
          // JetStream reserves the limits of what is left.
          await subject.store.remove(log.name);
        });
  });
};
