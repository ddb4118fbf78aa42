/** Where a node's logs and its local state live, by its settings: NATS, the parent's embedded log, or an embedded log of its own. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../core/clock.ts";
import { ConfigurationError, DataDirectoryInUseError } from "../core/errors.ts";
import { type DataDirectory, lockDataDirectory } from "../log/data-directory.ts";
import type { LogStore } from "../log/log.ts";
import type { ServedAddress } from "../log/served-log.ts";
import type { Logger } from "../query/services.ts";
import type { Settings } from "./settings.ts";

/** Nodes of one machine that share a `--data`, each in a folder of its own. */
const NODES_OF_DATA_MAX = 256;

/** Opens the log store. The implementation is loaded when it is used: a node on NATS loads no LevelDB log, and the other way round. */
export const openStore = async (settings: Settings, clock: Clock, log: Logger): Promise<LogStore> => {
  if (settings.nats !== undefined) return openJetStream(settings, settings.nats, clock, log);
  if (settings.logAddress !== undefined) {
    const { ServedStore } = await import("../log/served-client.ts");
    return ServedStore.open(parseAddress(settings.logAddress), clock);
  }
  return openEmbedded(settings.data, clock);
};

/** The embedded log of a data directory that this process has locked. */
export const openEmbedded = async (data: string, clock: Clock): Promise<LogStore> => {
  const { EmbeddedStore } = await import("../log/embedded-log.ts");
  const directory = join(resolve(data), "log");
  await mkdir(directory, { recursive: true });
  return EmbeddedStore.open({ directory, clock });
};

/** Waits for a server that is away, and says so; AuthorizationError at once. */
export const openJetStream = async (
  settings: Settings,
  servers: string,
  clock: Clock,
  log: Logger,
  signal?: AbortSignal,
): Promise<LogStore> => {
  const { JetStreamStore } = await import("../log/jetstream/store.ts");
  return JetStreamStore.open({
    servers,
    clock,
    name: `millrace ${process.pid}`,
    replicas: settings.replicas,
    ...(settings.creds === undefined ? {} : { creds: settings.creds }),
    ...(settings.tlsCa === undefined ? {} : { tls: { ca: settings.tlsCa } }),
    onStatus: (message) => log("warn", message),
    ...(signal === undefined ? {} : { signal }),
  });
};

/** `127.0.0.1:4711` or the path of a socket. */
export const parseAddress = (text: string): ServedAddress => {
  const port = /^127\.0\.0\.1:(\d+)$/.exec(text)?.[1];
  if (port !== undefined) return { port: Number(port) };
  if (text.startsWith("/")) return { path: text };
  throw new ConfigurationError(
    `MILLRACE_LOG_ADDRESS is set by the parent of workers; it is not ${JSON.stringify(text)}`,
  );
};

/** `parseAddress` undone. */
export const formatAddress = (address: ServedAddress): string =>
  "path" in address ? address.path : `127.0.0.1:${address.port}`;

/**
 * Takes the folder of this node's local state. Embedded: the data directory itself, which is the checkpoint, so a second process is refused
 * (DataDirectoryInUseError). A worker's: its parent has the data directory. On NATS the folder is a cache: the first one that is free, so that nodes
 * may share a data directory and a restarted node finds its state again.
 */
export const takeDirectory = async (settings: Settings): Promise<DataDirectory> => {
  const data = resolve(settings.data);
  if (settings.nats === undefined && settings.logAddress === undefined) return lockDataDirectory(data);
  if (settings.worker !== undefined) return lockDataDirectory(join(data, `node-${settings.worker}`));
  for (let n = 1; ; n++) {
    try {
      return await lockDataDirectory(join(data, `node-${n}`));
    } catch (e) {
      if (!(e instanceof DataDirectoryInUseError) || n === NODES_OF_DATA_MAX) throw e;
    }
  }
};
