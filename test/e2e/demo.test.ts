/** The demos end as promised. They run the built command line (`make test` builds it). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brokers } from "../support/broker.ts";
import { runNode } from "../support/process.ts";
import { compare, expectedWindows, makeEvents } from "../../ops/demo/events.ts";

const VERDICT = /\nexactly once: ([1-9]\d*) windows checked, 0 lost, 0 doubled[^\n]*\n$/;

test("make demo: kill -9 in the middle changes nothing", async () => {
  const end = await runNode(["ops/demo/main.ts"]);
  assert.equal(end.code, 0, end.stderr + end.stdout);
  assert.match(end.stdout, /killed with SIGKILL/);
  assert.match(end.stdout, VERDICT);
});

const noBroker = brokers().length === 0 ? { skip: "no nats-server (make brokers)" } : {};
test("make demo-nats: three nodes, one killed", noBroker, async () => {
  const end = await runNode(["ops/demo/nats.ts"]);
  assert.equal(end.code, 0, end.stderr + end.stdout);
  assert.match(end.stdout, /metrics: http:\/\/127\.0\.0\.1:\d+\/metrics/);
  assert.match(end.stdout, VERDICT);
});

test("the check of the demos sees what is lost, wrong and doubled", () => {
  const expected = expectedWindows(makeEvents(2_000, 3));
  const rows = [...expected.values()];
  const { size } = expected;
  assert.ok(size > 3);
  assert.deepEqual(compare(expected, rows), { checked: size, lost: 0, doubled: 0 });
  assert.deepEqual(compare(expected, rows.slice(1)), { checked: size, lost: 1, doubled: 0 });
  assert.deepEqual(compare(expected, [...rows, rows[0]!]), { checked: size, lost: 0, doubled: 1 });
  const wrong = [{ ...rows[0]!, total: -1 }, ...rows.slice(1)];
  assert.deepEqual(compare(expected, wrong), { checked: size, lost: 1, doubled: 0 });
});
