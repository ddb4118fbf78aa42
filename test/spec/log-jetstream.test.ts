import { test } from "node:test";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import { brokers, missingBrokers, startBroker } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";
import { logContract } from "./log-contract.ts";

for (const { version, reason } of missingBrokers())
  test(`log contract: JetStream on ${version}`, { skip: reason }, () => {});

for (const { version, path } of brokers())
  logContract(`JetStream on ${version}`, async () => {
    const broker = await startBroker({ path });
    const store = await JetStreamStore.open({ servers: broker.url, clock: systemClock });
    return {
      store,
      close: async () => {
        await store.close();
        await broker.stop();
      },
    };
  });
