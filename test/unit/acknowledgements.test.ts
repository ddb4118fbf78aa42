/** Acknowledgements on their way to the leader (law 9): which of them are repeated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACK_REPEAT_MS } from "../../src/core/limits.ts";
import { AckSender } from "../../src/runtime/acknowledgements.ts";
import { type Acknowledgement, decodeAcknowledgement } from "../../src/runtime/entries.ts";
import type { QueryFollower } from "../../src/runtime/follower.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const ack = (topology: number, kind: Acknowledgement["kind"] = "done"): Acknowledgement => ({
  kind,
  stage: 1,
  partition: 0,
  topology,
  epoch: 7,
  maxima: {},
  snapshotEpoch: 0,
  work: undefined,
});

test("what an actor of the old and one of the new topology say of one epoch is repeated for both, until it is committed", async () => {
  const clock = new VirtualClock();
  const seen: Acknowledgement[] = [];
  const bus = {
    publish: (_: string, payload: Uint8Array) => void seen.push(decodeAcknowledgement(payload)),
    subscribe: () => () => {},
  };
  const follower = { committed: 6, latest: undefined };
  const sender = new AckSender(bus, "acks", follower as unknown as QueryFollower, clock);
  sender.send(ack(1));
  sender.send(ack(2));
  sender.send(ack(2, "read"));
  assert.equal(seen.length, 3);
  await clock.advance(ACK_REPEAT_MS);
  assert.deepEqual(
    seen.slice(3).map((a) => [a.kind, a.topology]),
    [
      ["done", 1],
      ["done", 2],
      ["read", 2],
    ],
  );
  follower.committed = 7;
  await clock.advance(2 * ACK_REPEAT_MS);
  assert.equal(seen.length, 6);
  sender.close();
});
