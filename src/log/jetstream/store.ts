/** Logs in JetStream: a stream each (DESIGN section 7). */
import { ConfigurationError, LogFullError } from "../../core/errors.ts";
import { MAILBOX_BYTES_MAX, MAILBOX_BYTES_MIN } from "../../core/limits.ts";
import { LocalBus } from "../local-bus.ts";
import type { Bus, Log, LogOptions, LogStore } from "../log.ts";
import { logOfSubject, streamOfLog, subjectOfLog } from "../names.ts";
import type { NatsAccess } from "../nats-access.ts";
import { JetStreamAccess } from "./access.ts";
import { api, ApiError, ERR, failureOf, pages, patiently, type StreamInfo, streamInfo } from "./api.ts";
import { Connection, type NatsOptions } from "./connection.ts";
import { homeOf, JetStreamLog, type LogHome } from "./log.ts";

export interface JetStreamOptions extends NatsOptions {
  /** Replicas of new streams that do not say otherwise. Default 1. */
  readonly replicas?: 1 | 3;
}

/**
 * Core NATS as the bus: nothing is kept, what is sent while the server is away is lost. Subscribers of this process are called without the way over
 * the server (the connection asks for no echo).
 */
const busOver = (c: Connection): Bus => {
  const local = new LocalBus();
  return {
    publish: (subject, payload, near = false) => {
      local.publish(subject, payload);
      if (!near || !local.hears(subject)) c.publish(subject, payload);
    },
    subscribe: (subject, handler) => {
      const end = local.subscribe(subject, handler);
      const s = c.subscribe(subject, (m) => handler(m.data));
      return () => {
        end();
        s.unsubscribe();
      };
    },
  };
};

export class JetStreamStore implements LogStore {
  readonly kind = "jetstream";
  readonly bus: Bus;
  /** For the NATS connectors (`natsOf`). */
  readonly nats: NatsAccess;
  readonly #home: LogHome;
  readonly #replicas: 1 | 3;

  private constructor(connection: Connection, options: JetStreamOptions) {
    this.#home = homeOf(connection);
    this.#replicas = options.replicas ?? 1;
    this.bus = busOver(connection);
    this.nats = new JetStreamAccess(this.#home);
  }

  /** Connects, waiting for a server that is away (`onStatus` says so). AuthorizationError at once. */
  static async open(options: JetStreamOptions): Promise<JetStreamStore> {
    return new JetStreamStore(await Connection.open(options), options);
  }

  async open(name: string, options: LogOptions = {}): Promise<Log> {
    const [stream, subject] = [streamOfLog(name), subjectOfLog(name)];
    const info = await patiently(this.#home.connection, `Opening ${name}`, async () => {
      const existing = await streamInfo(this.#home.connection, stream);
      return existing ?? (await this.#create(name, stream, subject, options));
    });
    const found = info.config.subjects?.[0];
    if (found !== subject)
      throw new ConfigurationError(
        `The log ${name} needs the stream ${stream}, which already holds ${found ?? "no subject"}: two names look alike; choose another query or session name`,
      );
    return new JetStreamLog(this.#home, name, subject, info, options.writers);
  }

  /** The server reserves `max_bytes` at once; where it has less room, the default limit is halved until it fits. */
  async #create(name: string, stream: string, subject: string, options: LogOptions): Promise<StreamInfo> {
    const c = this.#home.connection;
    const floor = options.maxBytes ?? MAILBOX_BYTES_MIN;
    for (let maxBytes = options.maxBytes ?? MAILBOX_BYTES_MAX; ; maxBytes = Math.floor(maxBytes / 2)) {
      try {
        return await api<StreamInfo>(c, `STREAM.CREATE.${stream}`, {
          name: stream,
          subjects: [subject],
          retention: "limits",
          storage: "file",
          discard: "new",
          max_bytes: maxBytes,
          max_msgs: -1,
          max_age: 0,
          max_consumers: -1,
          num_replicas: options.replicas ?? this.#replicas,
        });
      } catch (e) {
        if (!(e instanceof ApiError)) throw e;
        // Another node was faster, with other limits: theirs hold.
        const made = e.failure.err_code === ERR.streamNameInUse ? await streamInfo(c, stream) : undefined;
        if (made !== undefined) return made;
        const failure = failureOf(name, e.failure);
        if (!(failure instanceof LogFullError) || maxBytes / 2 < floor) throw failure;
      }
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const c = this.#home.connection;
    const filter = subjectFilter(prefix);
    const infos = await patiently(c, "Listing logs", () =>
      pages<StreamInfo>(c, "STREAM.LIST", { subject: filter }, (a) => a["streams"] as StreamInfo[]),
    );
    const names = infos.map((i) => logOfSubject(i.config.subjects?.[0] ?? ""));
    return names.filter((n): n is string => n !== undefined && n.startsWith(prefix)).sort();
  }

  async remove(name: string): Promise<void> {
    const c = this.#home.connection;
    await patiently(c, `Removing ${name}`, async () => {
      try {
        await api(c, `STREAM.DELETE.${streamOfLog(name)}`);
      } catch (e) {
        if (!(e instanceof ApiError)) throw e;
        if (e.failure.err_code !== ERR.streamNotFound) throw failureOf(name, e.failure);
      }
    });
  }

  close(): Promise<void> {
    return this.#home.connection.close();
  }
}

/** The subjects that logs with this prefix have: whole tokens only, the rest is filtered here. */
const subjectFilter = (prefix: string): string => {
  const whole = prefix.slice(0, prefix.lastIndexOf(".") + 1);
  return `mr.${whole}>`;
};
