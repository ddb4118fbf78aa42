import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Clock } from "../../src/core/clock.ts";
import { LogFullError, RecordTooLargeError, UnavailableError } from "../../src/core/errors.ts";
import {
  PUBLISH_SILENCE_MAX_MS,
  PUBLISH_SILENCE_MS,
  PUBLISH_WINDOW_BYTES,
  PUBLISH_WINDOW_RECORDS,
} from "../../src/core/limits.ts";
import { type PlainRecord, PublishWindow } from "../../src/log/publish-window.ts";

/** Time that moves only by `advance`. */
class ManualClock implements Clock {
  #time = 0;
  #timers: { at: number; f: () => void }[] = [];
  now = (): number => this.#time;
  monotonic = (): number => this.#time;
  after(ms: number, f: () => void): () => void {
    const timer = { at: this.#time + ms, f };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((t) => t !== timer));
  }
  advance(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.#time = Math.max(this.#time, due.at);
      due.f();
    }
    this.#time = end;
  }
}

interface Attempt {
  readonly n: number;
  readonly done: (error?: unknown) => void;
}

const bed = () => {
  const clock = new ManualClock();
  const attempts: Attempt[] = [];
  const transport = {
    attempt: (m: PlainRecord, done: (e?: unknown) => void) =>
      void attempts.push({ n: new DataView(m.payload.buffer).getUint32(0), done }),
  };
  const window = new PublishWindow(transport, clock);
  const send = (n: number, bytes = 4): Promise<void> | undefined => {
    const payload = new Uint8Array(bytes);
    new DataView(payload.buffer).setUint32(0, n);
    return window.send(payload);
  };
  return { clock, attempts, window, send };
};

test("P1: after a refusal everything from the first unacknowledged record is sent again, acknowledged or not", async () => {
  const { clock, attempts, window, send } = bed();
  for (let n = 0; n < 4; n++) void send(n);
  attempts[0]!.done();
  attempts[2]!.done();
  attempts[1]!.done(new UnavailableError("refused"));
  attempts[3]!.done();
  clock.advance(100);
  assert.deepEqual(
    attempts.map((a) => a.n),
    [0, 1, 2, 3, 1, 2, 3],
  );
  let delivered = false;
  const done = window.delivered().then(() => (delivered = true));
  attempts[4]!.done();
  attempts[5]!.done();
  await Promise.resolve();
  assert.equal(delivered, false, "the former acknowledgement of record 3 does not count");
  attempts[6]!.done();
  await done;
});

test("P1: silence sends again", () => {
  const { clock, attempts, send } = bed();
  void send(0);
  void send(1);
  attempts[0]!.done();
  clock.advance(PUBLISH_SILENCE_MS + 100);
  assert.deepEqual(
    attempts.map((a) => a.n),
    [0, 1, 1],
  );
});

test("P5: a broker that is late gets one record again, not all; late answers count, and the next silence is longer", async () => {
  const { clock, attempts, window, send } = bed();
  for (let n = 0; n < 100; n++) void send(n);
  const delivered = window.delivered();
  clock.advance(PUBLISH_SILENCE_MS + 100);
  assert.deepEqual(
    attempts.slice(100).map((a) => a.n),
    [0],
  );
  // Twice as long, and again one record only.
  clock.advance(PUBLISH_SILENCE_MS + 100);
  assert.equal(attempts.length, 101);
  clock.advance(PUBLISH_SILENCE_MS + 100);
  assert.equal(attempts.length, 102);
  for (const a of attempts.slice(0, 100)) a.done();
  await delivered;
  assert.equal(attempts.length, 102);
  // Answers take so long now: four times that is silence.
  void send(100);
  clock.advance(3 * PUBLISH_SILENCE_MS * 3);
  assert.equal(attempts.length, 103);
  clock.advance(PUBLISH_SILENCE_MAX_MS);
  assert.ok(attempts.length > 103);
});

test("P5: what the round that fell silent had stored behind a hole is sent again", async () => {
  const { clock, attempts, window, send } = bed();
  for (let n = 0; n < 4; n++) void send(n);
  const delivered = window.delivered();
  clock.advance(PUBLISH_SILENCE_MS + 100);
  attempts[0]!.done();
  // 1 is lost: 2 and 3 were dropped by the reader.
  attempts[2]!.done();
  attempts[3]!.done();
  for (let i = 4; i < attempts.length; i++) attempts[i]!.done();
  await delivered;
  assert.deepEqual(
    attempts.slice(4).map((a) => a.n),
    [0, 1, 2, 3],
  );
});

test("P1: what a lost connection had stored late is behind what the next one sends: its answers do not count", async () => {
  const { clock, attempts, window, send } = bed();
  const stored: number[] = [];
  const store = (i: number): void => void stored.push(attempts[i]!.n);
  for (let n = 0; n < 3; n++) void send(n);
  const delivered = window.delivered();
  clock.advance(PUBLISH_SILENCE_MS);
  window.interrupt();
  window.retryNow();
  store(3);
  attempts[3]!.done();
  assert.deepEqual(
    attempts.slice(3).map((a) => a.n),
    [0, 1, 2],
  );
  // 1 is refused, 2 is stored; then the server takes what it had of the lost connection.
  store(5);
  for (const late of [0, 1]) {
    store(late);
    attempts[late]!.done();
  }
  attempts[4]!.done(new UnavailableError("refused"));
  attempts[5]!.done();
  clock.advance(2000);
  for (let i = 6; i < attempts.length; i++) {
    store(i);
    attempts[i]!.done();
  }
  await delivered;
  assert.equal(
    stored.reduce((next, n) => (n === next ? n + 1 : next), 0),
    3,
    `stored ${stored.join(" ")}`,
  );
});

test("P5: late answers that came over a lost connection are not waited for", () => {
  const { clock, attempts, window, send } = bed();
  for (let n = 0; n < 3; n++) void send(n);
  clock.advance(PUBLISH_SILENCE_MS + 30);
  attempts[0]!.done();
  attempts[3]!.done();
  const before = attempts.length;
  window.interrupt();
  window.retryNow();
  assert.deepEqual(
    attempts.slice(before).map((a) => a.n),
    [1, 2],
  );
});

test("P3: the window is bounded in records and in bytes, and a full one waits", async () => {
  const { attempts, send } = bed();
  for (let n = 0; n < PUBLISH_WINDOW_RECORDS; n++) assert.equal(send(n), undefined);
  const waits = send(PUBLISH_WINDOW_RECORDS);
  assert.ok(waits instanceof Promise);
  assert.equal(attempts.length, PUBLISH_WINDOW_RECORDS);
  // A full window is filled again when half of it is answered.
  for (let n = 0; n < PUBLISH_WINDOW_RECORDS / 2; n++) {
    assert.equal(attempts.length, PUBLISH_WINDOW_RECORDS);
    attempts[n]!.done();
  }
  await waits;
  assert.equal(attempts.length, PUBLISH_WINDOW_RECORDS + 1);
  const large = bed();
  assert.equal(large.send(0, PUBLISH_WINDOW_BYTES * 2), undefined, "one record may be larger");
  void large.send(1);
  assert.equal(large.attempts.length, 1);
});

test("P4: an error that no retry helps ends the publisher", async () => {
  const { attempts, window, send } = bed();
  void send(0);
  const delivered = window.delivered();
  attempts[0]!.done(new RecordTooLargeError("too large"));
  await assert.rejects(delivered, RecordTooLargeError);
  await assert.rejects(async () => send(1), RecordTooLargeError);
});

test("a full log is reported and tried again", () => {
  const { clock, attempts, window, send } = bed();
  const said: string[] = [];
  window.onFull((limit) => said.push(limit));
  void send(0);
  attempts[0]!.done(new LogFullError("max_bytes of 10"));
  clock.advance(1000);
  assert.deepEqual(said, ["max_bytes of 10"]);
  assert.equal(attempts.length, 2);
});

test("a closed publisher sends nothing more and rejects", async () => {
  const { clock, attempts, window, send } = bed();
  void send(0);
  const delivered = window.delivered();
  window.close();
  await assert.rejects(delivered, UnavailableError);
  clock.advance(60_000);
  assert.equal(attempts.length, 1);
});

test("any order of stored, refused and lost answers: each record is stored, none behind a hole (law 3 reader)", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("ok", "refuse", "lose", "loseAck", "late", "refuseLate"), { maxLength: 60 }),
      fc.nat(30),
      (fates, count) => {
        const { clock, attempts, window, send } = bed();
        const stored: number[] = [];
        for (let n = 0; n <= count; n++) void send(n);
        void window.delivered();
        let seen = 0;
        for (let turn = 0; turn < 500 && !isDone(); turn++) {
          for (; seen < attempts.length; seen++) {
            const a = attempts[seen]!;
            const fate = fates[seen] ?? "ok";
            if (fate === "ok" || fate === "loseAck" || fate === "late") stored.push(a.n);
            if (fate === "refuseLate")
              clock.after(PUBLISH_SILENCE_MS * (1 + (seen % 3)), () =>
                a.done(new LogFullError("max_bytes of 10")),
              );
            if (fate === "late") clock.after(PUBLISH_SILENCE_MS * (1 + (seen % 3)), () => a.done());
            if (fate === "ok") a.done();
            if (fate === "refuse") a.done(new UnavailableError("refused"));
          }
          clock.advance(500);
        }
        function isDone(): boolean {
          let next = 0;
          for (const n of stored) if (n === next) next++;
          return next === count + 1;
        }
        assert.ok(isDone(), `stored ${stored.join(" ")}`);
      },
    ),
    { numRuns: 200 },
  );
});

test("delivered: what was sent before the call counts, not what comes later (a later record may have to wait for it)", async () => {
  const { attempts, window, send } = bed();
  void send(0);
  let delivered = false;
  const done = window.delivered().then(() => (delivered = true));
  void send(1);
  attempts[0]!.done();
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(delivered, true);
  await done;
});
