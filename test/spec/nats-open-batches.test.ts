/** Batches that killed writers left open (2.15 keeps 50 a stream for 10 s) are waited for by others, never a failure of the query. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, headers } from "nats";
import { UnavailableError } from "../../src/core/errors.ts";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import { brokers, startBroker } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";

const OPEN_MAX = 50;
const program = brokers().find((b) => !b.version.startsWith("2.9."));
const skip = program === undefined ? "no nats-server with atomic batches: make brokers says why" : false;

test("a stream with too many open batches counts as unavailable", { skip }, async (t) => {
  const broker = await startBroker({ t, path: program!.path });
  const { nats, close } = await JetStreamStore.open({ servers: broker.url, clock: systemClock }).then(
    (s) => ({
      nats: s.nats,
      close: () => s.close(),
    }),
  );
  t.after(close);
  const stream = await nats.createStream({ name: "S", subjects: ["s.>"], atomic: true });
  assert.equal(stream.atomicBatches, true);
  const nc = await connect({ servers: broker.url });
  t.after(() => nc.close());
  for (let i = 0; i < OPEN_MAX; i++) {
    const h = headers();
    h.set("Nats-Batch-Id", `left-${i}`);
    h.set("Nats-Batch-Sequence", "1");
    nc.publish("s.a", "x", { headers: h });
  }
  await nc.flush();
  const message = { subject: "s.b", payload: new Uint8Array(1) };
  await assert.rejects(nats.atomicBatch([message]), UnavailableError);
  await assert.rejects(nats.atomicBatch([message, message]), UnavailableError);
  assert.equal((await nats.stream("S"))!.messages, 0);
});
