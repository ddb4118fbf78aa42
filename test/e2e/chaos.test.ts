/** Nothing lost, nothing doubled, nothing wrong while nodes and the broker are killed (issue 3, show 2); the long form is in test/nightly. */
import { test } from "node:test";
import { brokers, missingBrokers } from "../support/broker.ts";
import { chaos } from "./chaos-bed.ts";

const [first, ...others] = brokers();
const second = others[0] ?? first;
const scale = { seconds: 25, rows: 60_000, leaseMs: 1_500 };

for (const { version, reason } of missingBrokers()) test(`chaos on nats-server ${version}`, { skip: reason });

// A version each: together the two runs take a minute, and every version meets both modes in the nightly run.
if (first !== undefined)
  test(`append mode through kill -9, nats-server ${first.version}`, (t) =>
    chaos(t, { program: first, mode: "append", subject: "out.counts", ...scale }));

if (second !== undefined)
  test(`update mode through kill -9, nats-server ${second.version}`, (t) =>
    chaos(t, { program: second, mode: "update", subject: "out.{partition}", ...scale }));
