/**
 * Random walks of a publisher before a broker that is slow, refuses, loses and is disconnected: what the publisher calls delivered a reader that knows law 3
 * has taken, and in the end it has taken everything.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UnavailableError } from "../../src/core/errors.ts";
import { type PlainRecord, PublishWindow } from "../../src/log/publish-window.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

interface Flying {
  readonly n: number;
  readonly done: (error?: unknown) => void;
}

/** Attempts arrive in their order, and are answered in it; what a lost connection had sent may still arrive, beside what the next one sends. */
class Broker {
  readonly stored: number[] = [];
  /** What a reader has taken of it. */
  taken = 0;
  #connections: Flying[][] = [[]];
  /** By connection: those of one come in order. */
  #answers: (() => void)[][] = [[]];
  #connected = true;

  attempt = (m: PlainRecord, done: (error?: unknown) => void): void => {
    const n = new DataView(m.payload.buffer).getUint32(0);
    if (this.#connected) this.#connections.at(-1)!.push({ n, done });
    else queueMicrotask(() => done(new UnavailableError("away")));
  };

  /** As the transport over NATS: what was sent before is not answered any more. */
  reset = (): void => {
    this.#answers = this.#answers.map(() => []);
    this.#connections = this.#connections.map((c) => c.map(({ n }) => ({ n, done: () => {} })));
  };

  #store(n: number): void {
    this.stored.push(n);
    if (n === this.taken) this.taken++;
  }

  arrive(connection: number, fate: "store" | "loseAck" | "refuse" | "lose"): void {
    const c = connection % this.#connections.length;
    const attempt = this.#connections[c]!.shift();
    if (attempt === undefined) return;
    if (fate === "store" || fate === "loseAck") this.#store(attempt.n);
    if (fate === "store") this.#answers[c]!.push(() => attempt.done());
    if (fate === "refuse") this.#answers[c]!.push(() => attempt.done(new UnavailableError("refused")));
  }

  answer(connection: number): void {
    this.#answers[connection % this.#answers.length]!.shift()?.();
  }

  disconnect(): void {
    this.#connected = false;
    this.#answers = this.#answers.map(() => []);
  }

  connect(): void {
    if (!this.#connected) {
      this.#connections.push([]);
      this.#answers.push([]);
    }
    this.#connected = true;
  }

  /** A broker without faults takes and answers all that came to it. */
  idle(): boolean {
    return this.#answers.every((a) => a.length === 0) && this.#connections.every((c) => c.length === 0);
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("arrive" as const),
      of: fc.nat(2),
      fate: fc.constantFrom("store", "store", "store", "store", "loseAck", "refuse", "lose"),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("answer" as const), of: fc.nat(2) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(30, 2100, 9000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("disconnect" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("connect" as const) }) },
);

test("what is delivered a reader has taken, whatever comes late, is refused or lost, over one connection or several", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 120 }), async (steps) => {
      const clock = new VirtualClock();
      const broker = new Broker();
      const window = new PublishWindow(broker, clock, 6);
      let [sent, delivered] = [0, 0];
      const send = (): void => {
        const payload = new Uint8Array(4);
        new DataView(payload.buffer).setUint32(0, sent++);
        void window.send(payload);
        const until = sent;
        void window.delivered().then(() => (delivered = Math.max(delivered, until)));
      };
      const check = async (): Promise<void> => {
        for (let i = 0; i < 4; i++) await Promise.resolve();
        assert.ok(
          delivered <= broker.taken,
          `${String(delivered)} delivered, stored ${broker.stored.join(" ")}`,
        );
      };
      const connect = (): void => {
        broker.connect();
        window.retryNow();
      };
      for (const s of steps) {
        if (s.do === "send") send();
        else if (s.do === "arrive") broker.arrive(s.of, s.fate as "store");
        else if (s.do === "answer") broker.answer(s.of);
        else if (s.do === "wait") await clock.advance(s.ms);
        else if (s.do === "connect") connect();
        else {
          broker.disconnect();
          window.interrupt();
        }
        await check();
      }
      connect();
      // Twice the longest silence.
      for (let turn = 0; turn < 400 && delivered < sent; turn++) {
        for (let c = 0; !broker.idle(); c++) {
          broker.arrive(c, "store");
          broker.answer(c);
        }
        await check();
        await clock.advance(300);
      }
      await check();
      assert.equal(delivered, sent, `stored ${broker.stored.join(" ")}`);
      window.close();
      await settle(1);
    }),
    { numRuns: 300 },
  );
});
