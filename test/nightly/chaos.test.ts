/** The full form of the chaos test: 300,000 rows, 60 s of faults, both modes on every server there is (issue 3, show 2). */
import { test } from "node:test";
import { chaos } from "../e2e/chaos-bed.ts";
import { brokers, missingBrokers } from "../support/broker.ts";

const scale = { seconds: 60, rows: 300_000, leaseMs: 2_000 };

for (const { version, reason } of missingBrokers()) test(`chaos on nats-server ${version}`, { skip: reason });

for (const program of brokers())
  for (const mode of ["append", "update"] as const)
    for (const subject of ["out.counts", "out.{partition}"])
      test(`${mode} mode into ${subject} through kill -9, nats-server ${program.version}`, (t) =>
        chaos(t, { program, mode, subject, ...scale }));
