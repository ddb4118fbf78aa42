/** Faults of the log in memory: what the simulation counts on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { position } from "../../src/core/brands.ts";
import type { Clock } from "../../src/core/clock.ts";
import { UnavailableError } from "../../src/core/errors.ts";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import type { Fate } from "../../src/log/memory-wire.ts";

/** A seeded scheduler that also owns time: timers run, in order, when nothing else is left to do. */
class Scheduler implements Clock {
  #tasks: (() => void)[] = [];
  #timers: { at: number; f: () => void }[] = [];
  #time = 0;
  readonly #pick: (n: number) => number;
  constructor(seed: number) {
    let state = seed | 1;
    this.#pick = (n) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
  }
  now = (): number => this.#time;
  monotonic = (): number => this.#time;
  schedule = (f: () => void): void => void this.#tasks.push(f);
  after(ms: number, f: () => void): () => void {
    const timer = { at: this.#time + ms, f };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((t) => t !== timer));
  }
  /** Runs until `done` settles. */
  async run<T>(done: Promise<T>): Promise<T> {
    let over = false;
    const settle = (): void => void (over = true);
    done.then(settle, settle);
    for (let step = 0; !over; step++) {
      assert.ok(step < 200_000, "no end in sight");
      // Promise continuations of the last step come before the next one.
      await new Promise((resolve) => setImmediate(resolve));
      if (over) break;
      const task = this.#tasks.splice(this.#pick(Math.max(1, this.#tasks.length)), 1)[0];
      if (task !== undefined) task();
      else this.#tick();
    }
    return done;
  }
  #tick(): void {
    const due = this.#timers.sort((a, b) => a.at - b.at).shift();
    if (due === undefined) return;
    this.#time = Math.max(this.#time, due.at);
    due.f();
  }
}

const bytes = (n: number): Uint8Array => Uint8Array.of(n);
const content = async (log: Log): Promise<number[]> => {
  const { last } = await log.bounds();
  const out: number[] = [];
  for (let i = 1; i <= last; i++) out.push((await log.get(position(i)))!.payload[0]!);
  return out;
};

test("any fates under any schedule: a publisher's records are stored with no hole (C2)", async () => {
  const fate = fc.constantFrom<Fate>("store", "storeLoseAck", "refuse", "lose");
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fate, { maxLength: 25 }),
      fc.integer({ min: 1, max: 12 }),
      async (seed, fates, n) => {
        const scheduler = new Scheduler(seed);
        let attempt = 0;
        const store = new MemoryStore({
          clock: scheduler,
          schedule: scheduler.schedule,
          faults: { onAppend: () => fates[attempt++] ?? "store" },
        });
        const log = await scheduler.run(store.open("a.b.c"));
        const publisher = log.publisher();
        for (let i = 0; i < n; i++) void publisher.send(bytes(i));
        await scheduler.run(publisher.delivered());
        let next = 0;
        for (const x of await scheduler.run(content(log))) if (x === next) next++;
        assert.equal(next, n);
      },
    ),
    { numRuns: 60 },
  );
});

test("a held append arrives when it is released, after its writer is gone too", async () => {
  const scheduler = new Scheduler(7);
  const store = new MemoryStore({ clock: scheduler, schedule: scheduler.schedule });
  const log = await scheduler.run(store.open("a.b.c"));
  store.faults = { onAppend: () => "hold" };
  const zombie = log.publisher();
  void zombie.send(bytes(9));
  await scheduler.run(log.bounds());
  while (store.held === 0) await scheduler.run(log.bounds());
  zombie.close();
  store.faults = {};
  assert.equal(await scheduler.run(log.append(bytes(1), { expectLast: position(0) })), 1);
  store.release();
  while ((await scheduler.run(log.bounds())).last < 2);
  assert.deepEqual(await scheduler.run(content(log)), [1, 9]);
});

test("an append without an answer is UnavailableError, stored or not", async () => {
  for (const [fate, stored] of [
    ["storeLoseAck", 1],
    ["lose", 0],
    ["refuse", 0],
  ] as const) {
    const scheduler = new Scheduler(3);
    const store = new MemoryStore({
      clock: scheduler,
      schedule: scheduler.schedule,
      faults: { onAppend: () => fate },
    });
    const log = await scheduler.run(store.open("a.b.c"));
    await assert.rejects(scheduler.run(log.append(bytes(1))), UnavailableError);
    assert.equal((await scheduler.run(log.bounds())).last, stored);
  }
});
