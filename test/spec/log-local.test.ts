import { join } from "node:path";
import { systemClock } from "../support/system-clock.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { EmbeddedStore } from "../../src/log/embedded-log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { ServedStore } from "../../src/log/served-client.ts";
import { LogServer } from "../../src/log/served-log.ts";
import { logContract } from "./log-contract.ts";

logContract("memory", async () => {
  const store = new MemoryStore({ clock: systemClock });
  return { store, close: () => store.close() };
});

logContract("memory, answers at random times", async () => {
  const store = new MemoryStore({
    clock: systemClock,
    schedule: (f) => void setTimeout(f, Math.random() * 0.5),
  });
  return { store, close: () => store.close() };
});

logContract("embedded", async () => {
  const directory = join(temporaryDirectory(), "log");
  const store = await EmbeddedStore.open({ directory, clock: systemClock });
  return { store, close: () => store.close() };
});

logContract("served over a socket file", async () => {
  const directory = temporaryDirectory();
  const embedded = await EmbeddedStore.open({ directory: join(directory, "log"), clock: systemClock });
  const server = await LogServer.listen(embedded, { path: join(directory, "log.sock") });
  const store = await ServedStore.open(server.address, systemClock);
  return {
    store,
    close: async () => {
      await store.close();
      await server.close();
      await embedded.close();
    },
  };
});
