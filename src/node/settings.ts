/**
 * The settings of a node: flags, then `MILLRACE_<FLAG>` (and `NATS_URL`), then defaults (DESIGN section 10). `millrace run` turns its flags into
 * the environment, so that the program and its worker processes read one thing: `settingsFrom`.
 */
import { ConfigurationError } from "../core/errors.ts";
import { parseDuration } from "../core/duration.ts";
import {
  HTTP_PORT_DEFAULT,
  LEASE_MS_DEFAULT,
  LEAVE_COMMIT_MS,
  LEAVE_COMMIT_MS_MAX,
  PARTITIONS_DEFAULT,
  PARTITIONS_MAX,
} from "../core/limits.ts";
import type { LogLevel } from "../query/services.ts";

export interface Settings {
  /** Broker's URL; undefined: the embedded log. */
  readonly nats: string | undefined;
  readonly creds: string | undefined;
  readonly tlsCa: string | undefined;
  readonly replicas: 1 | 3;
  readonly data: string;
  /** 0: a free one. Undefined: not given; `millrace run` then takes the default, a program by itself serves no HTTP. */
  readonly port: number | undefined;
  readonly host: string;
  readonly token: string | undefined;
  readonly partitions: number;
  /** Whether somebody asked for that number: then queries that are started again change to it (law 13), as new ones begin with it. */
  readonly partitionsGiven: boolean;
  readonly leaseMs: number;
  /** How long a leader that leaves goes on committing what is planned. */
  readonly leaveMs: number;
  /** Undefined: a silent event-time column holds the watermark back for ever, as in Spark. */
  readonly idleTimeoutMs: number | undefined;
  /** What the state of all queries may take of this process' memory before it goes to disk; undefined: all of it. Bytes. */
  readonly stateMemory: number | undefined;
  /** Law 3's digest. */
  readonly replayDigest: boolean;
  readonly workers: number;
  readonly logLevel: LogLevel;
  readonly timeZone: string;
  /** Where a parent process serves the embedded log, and the id of this start of it. Set by the parent, not by people. */
  readonly logAddress: string | undefined;
  readonly boot: string | undefined;
  readonly worker: number | undefined;
  /** Workers of this one's parent; 1 without a parent. */
  readonly workersOfParent: number;
}

interface Flag {
  readonly name: string;
  /** What stands behind it in the usage text. */
  readonly value: string;
  readonly help: string;
}

/** The flags of a node, in the order of the usage text. */
export const NODE_FLAGS: readonly Flag[] = [
  { name: "nats", value: "URL", help: "NATS server (also NATS_URL); without one the embedded log is used" },
  { name: "creds", value: "FILE", help: "NATS credentials file" },
  { name: "tls-ca", value: "FILE", help: "PEM file of the authority that signed the server's certificate" },
  { name: "replicas", value: "1|3", help: "replicas of the streams that Millrace creates (1)" },
  { name: "data", value: "DIR", help: "local state; with the embedded log it is the checkpoint (.millrace)" },
  { name: "port", value: "N", help: `HTTP port; 0 takes a free one (${HTTP_PORT_DEFAULT})` },
  { name: "host", value: "ADDRESS", help: "HTTP address (127.0.0.1); another one needs --token" },
  { name: "token", value: "TOKEN", help: "what HTTP writes, and reads from elsewhere, must present" },
  {
    name: "partitions",
    value: "N",
    help: `partitions of keyed stages (${PARTITIONS_DEFAULT}, or what a query that is started again had)`,
  },
  {
    name: "lease-ms",
    value: "MS",
    help: `a node that is silent for so long is taken over (${LEASE_MS_DEFAULT})`,
  },
  {
    name: "leave-ms",
    value: "MS",
    help: `a leader that is told to end goes on committing for so long at most (${LEAVE_COMMIT_MS})`,
  },
  {
    name: "idle-timeout",
    value: "DURATION",
    help: "an event-time column that is silent for so long no longer holds the watermark back (never)",
  },
  {
    name: "replay-digest",
    value: "on|off",
    help: "compare the content of what is sent again after a restart, not its number of rows only (off)",
  },
  {
    name: "state-memory",
    value: "SIZE",
    help: "memory for the state of all queries, such as 512mb or 4gb; more than that goes to disk (off)",
  },
  { name: "workers", value: "N", help: "node processes on this machine under one parent (1)" },
  { name: "log-level", value: "LEVEL", help: "debug, info, warn or error (info)" },
  { name: "time-zone", value: "ZONE", help: "IANA zone of the session (UTC)" },
];

const LEASE_MS_MIN = 300;
const LEASE_MS_MAX = 600_000;
const WORKERS_MAX = 64;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** `lease-ms` → `MILLRACE_LEASE_MS`. */
export const variableOf = (flag: string): string => `MILLRACE_${flag.replaceAll("-", "_").toUpperCase()}`;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Looks a setting up and remembers under which name it was given, for messages. */
class Lookup {
  readonly #env: Environment;
  readonly #overrides: Readonly<Record<string, unknown>>;

  constructor(env: Environment, overrides: Readonly<Record<string, unknown>>) {
    this.#env = env;
    this.#overrides = overrides;
  }

  get(flag: string): string | undefined {
    const camel = flag.replace(/-(.)/g, (_, c: string) => c.toUpperCase());
    const own = Object.hasOwn(this.#overrides, camel) ? this.#overrides[camel] : undefined;
    if (own !== undefined) {
      if (typeof own === "string" || typeof own === "number") return String(own);
      throw new ConfigurationError(`the setting ${camel} must be a string or a number, not ${typeof own}`);
    }
    const value = this.#env[variableOf(flag)] ?? (flag === "nats" ? this.#env["NATS_URL"] : undefined);
    return value === "" ? undefined : value;
  }

  whole(flag: string, min: number, max: number): number | undefined {
    const text = this.get(flag);
    if (text === undefined) return undefined;
    const n = Number(text);
    if (!/^\d+$/.test(text.trim()) || n < min || n > max)
      throw new ConfigurationError(
        `--${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`,
        {
          hint: `--${flag}, or ${variableOf(flag)} in the environment`,
        },
      );
    return n;
  }
}

const checkedTimeZone = (zone: string): string => {
  try {
    // Throws for a zone it does not know.
    new Intl.DateTimeFormat("en", { timeZone: zone }).format(0);
    return zone;
  } catch {
    throw new ConfigurationError(`--time-zone: there is no time zone ${JSON.stringify(zone)}`, {
      hint: "an IANA name such as Europe/Berlin, or UTC",
    });
  }
};

/** The zone of the environment (flags are exported to it). Throws ConfigurationError for one that is not there. */
export const timeZoneFrom = (env: Readonly<Record<string, string | undefined>>): string =>
  checkedTimeZone(env[variableOf("time-zone")] ?? "UTC");

const leaseOf = (l: Lookup): number => {
  const text = l.get("lease-ms");
  if (text === undefined) return LEASE_MS_DEFAULT;
  const ms = /^\d+$/.test(text) ? Number(text) : durationOrNaN(text);
  if (ms >= LEASE_MS_MIN && ms <= LEASE_MS_MAX) return ms;
  throw new ConfigurationError(
    `--lease-ms must be from ${LEASE_MS_MIN} to ${LEASE_MS_MAX} milliseconds, not ${JSON.stringify(text)}`,
  );
};

const idleTimeoutOf = (l: Lookup): number | undefined => {
  const text = l.get("idle-timeout");
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) : durationOrNaN(text);
  if (ms > 0) return ms;
  throw new ConfigurationError(
    `--idle-timeout must be a duration such as "30 seconds", not ${JSON.stringify(text)}`,
  );
};

const BYTES: Readonly<Record<string, number>> = { "": 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

const stateMemoryOf = (l: Lookup): number | undefined => {
  const text = l.get("state-memory")?.trim().toLowerCase();
  if (text === undefined || text === "off") return undefined;
  const [, number, unit] = /^(\d+) ?([kmg]b|)$/.exec(text) ?? [];
  if (number !== undefined && Number(number) > 0) return Number(number) * BYTES[unit!]!;
  throw new ConfigurationError(
    `--state-memory must be a size such as 512mb or 4gb, or off, not ${JSON.stringify(text)}`,
  );
};

const durationOrNaN = (text: string): number => {
  try {
    return parseDuration(text);
  } catch {
    return NaN;
  }
};

const oneOf = <T extends string>(flag: string, text: string, allowed: readonly T[]): T => {
  const found = allowed.find((a) => a === text.toLowerCase());
  if (found !== undefined) return found;
  throw new ConfigurationError(`--${flag} is one of ${allowed.join(", ")}, not ${JSON.stringify(text)}`);
};

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

const hostOf = (l: Lookup): string => {
  const host = l.get("host") ?? "127.0.0.1";
  if (LOOPBACK.test(host) || l.get("token") !== undefined) return host;
  throw new ConfigurationError(`--host ${host} can be reached from other machines: it needs --token`, {
    hint: "without --host the server listens on 127.0.0.1 only",
  });
};

const natsUrl = (l: Lookup): string | undefined => {
  const url = l.get("nats");
  if (url === undefined) return undefined;
  for (const one of url.split(","))
    if (
      !/^((nats|tls|ws|wss):\/\/)?([^@/\s]+@)?[^@/\s:]+(:\d{1,5})?\/?$|^((nats|tls):\/\/)?([^@/\s]+@)?\[[0-9a-f:]+\](:\d{1,5})?\/?$/i.test(
        one.trim(),
      )
    )
      throw new ConfigurationError(
        `--nats ${JSON.stringify(redacted(url))} is not the address of a NATS server`,
        {
          hint: "for example nats://127.0.0.1:4222",
        },
      );
  return url;
};

/** A URL without its credentials, for messages. */
export const redacted = (url: string): string => url.replace(/\/\/[^@/]*@/g, "//…@");

/**
 * The settings of this process. `overrides` are what the program itself set in `session({ … })`, by camel-case names. Throws
 * ConfigurationError naming the flag.
 */
export const settingsFrom = (
  env: Environment,
  overrides: Readonly<Record<string, unknown>> = {},
): Settings => {
  const l = new Lookup(env, overrides);
  const nats = natsUrl(l);
  for (const flag of ["creds", "tls-ca"])
    if (nats === undefined && l.get(flag) !== undefined)
      throw new ConfigurationError(`--${flag} goes with --nats`, { hint: "give the server with --nats URL" });
  return {
    nats,
    creds: l.get("creds"),
    tlsCa: l.get("tls-ca"),
    replicas: oneOf("replicas", l.get("replicas") ?? "1", ["1", "3"]) === "3" ? 3 : 1,
    data: l.get("data") ?? ".millrace",
    port: l.whole("port", 0, 65_535),
    host: hostOf(l),
    token: l.get("token"),
    partitions: l.whole("partitions", 1, PARTITIONS_MAX) ?? PARTITIONS_DEFAULT,
    partitionsGiven: l.get("partitions") !== undefined,
    leaseMs: leaseOf(l),
    leaveMs: l.whole("leave-ms", 0, LEAVE_COMMIT_MS_MAX) ?? LEAVE_COMMIT_MS,
    idleTimeoutMs: idleTimeoutOf(l),
    stateMemory: stateMemoryOf(l),
    replayDigest: oneOf("replay-digest", l.get("replay-digest") ?? "off", ["on", "off"]) === "on",
    workers: l.whole("workers", 1, WORKERS_MAX) ?? 1,
    logLevel: oneOf("log-level", l.get("log-level") ?? "info", LEVELS),
    timeZone: checkedTimeZone(l.get("time-zone") ?? "UTC"),
    logAddress: env["MILLRACE_LOG_ADDRESS"],
    boot: env["MILLRACE_BOOT"],
    worker: env["MILLRACE_WORKER"] === undefined ? undefined : Number(env["MILLRACE_WORKER"]),
    workersOfParent: Number(env["MILLRACE_WORKERS_OF_PARENT"] ?? 1),
  };
};
