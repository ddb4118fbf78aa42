/** The embedded log of a data directory, served to the processes that share it. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LogStore } from "../log/log.ts";
import { LogServer, type ServedAddress } from "../log/served-log.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { formatAddress, openEmbedded } from "./stores.ts";

/** Longest path of a socket file that all systems take. */
const SOCKET_PATH_CHARS_MAX = 100;

export interface LogHost {
  readonly store: LogStore;
  /** What the sharing processes find in MILLRACE_LOG_ADDRESS. */
  readonly address: string;
  /** Id of this start of the log: leases of processes that shared an earlier one are void. */
  readonly boot: string;
  close(): Promise<void>;
}

/** Opens and serves the log. The caller has locked the directory. */
export const serveEmbedded = async (directory: string): Promise<LogHost> => {
  const store = await openEmbedded(directory, SYSTEM_CLOCK);
  const path = join(directory, "log.sock");
  const fits = path.length <= SOCKET_PATH_CHARS_MAX && process.platform !== "win32";
  const address: ServedAddress = fits ? { path } : { port: 0 };
  // The directory is ours: a socket in it is a dead process'.
  if (fits) await rm(path, { force: true });
  const server = await LogServer.listen(store, address);
  return {
    store,
    address: formatAddress(server.address),
    boot: randomUUID(),
    async close(): Promise<void> {
      await server.close();
      await store.close();
    },
  };
};
