/**
 * One connection to NATS, reconnecting for ever. Only files of this folder import the client library.
 *
 * Invariants.
 *  J1 A request never outlives its connection: what was in flight at a disconnect rejects with UnavailableError at once (the
 *     client would keep it until its timeout), because its outcome is unknown.
 *  J2 Wrong credentials end the connection with AuthorizationError, at the start and at any reconnect; an unreachable server is
 *     retried and reported through `onStatus`, never thrown.
 */
import { readFileSync } from "node:fs";
import {
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  nuid,
  type Subscription,
} from "nats";
import { type Clock, sleep } from "../../core/clock.ts";
import { AuthorizationError, ConfigurationError, UnavailableError } from "../../core/errors.ts";
import { REQUEST_TIMEOUT_MS } from "../../core/limits.ts";
import { type ClientParser, type FrameHandler, Inbound } from "./inbound.ts";
import { Outbound, type RowFrame, type RowNumbers } from "./outbound.ts";
import type { HeaderPairs } from "./records.ts";

export interface NatsOptions {
  /** `nats://host:port`, several separated by commas, or a list. A user and password, or a token, may stand before the `@`. */
  readonly servers: string | readonly string[];
  readonly clock: Clock;
  /** Path of a credentials file (`.creds`). */
  readonly creds?: string;
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
  /** Paths of PEM files. An empty object asks for TLS with the system's authorities. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Shown in the server's monitoring. */
  readonly name?: string;
  /** First token of the subjects that answers come to; permissions may name it. Default: a unique one. */
  readonly inboxPrefix?: string;
  /** One line for people, whenever the state of the connection changes. */
  readonly onStatus?: (message: string) => void;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

const PING_MS = 1_500;
const RETRY_MS = 250;
const RETRY_MAX_MS = 2_000;

const listOf = (servers: string | readonly string[]): string[] =>
  (typeof servers === "string" ? servers.split(",") : [...servers]).map((s) => s.trim()).filter(Boolean);

const readable = (what: string, path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigurationError(`The ${what} ${path} cannot be read`, { cause });
  }
};

/** Credentials in a URL become options: the client ignores them. */
const fromUrl = (server: string): { server: string; user?: string; pass?: string; token?: string } => {
  const at = server.lastIndexOf("@");
  if (at < 0) return { server };
  const scheme = /^[a-z]+:\/\//.exec(server)?.[0] ?? "";
  const [user, ...rest] = server.slice(scheme.length, at).split(":").map(decodeURIComponent);
  const bare = scheme + server.slice(at + 1);
  return rest.length === 0
    ? { server: bare, token: user! }
    : { server: bare, user: user!, pass: rest.join(":") };
};

const clientOptions = (o: NatsOptions, inboxPrefix: string): ConnectionOptions => {
  const servers = listOf(o.servers).map(fromUrl);
  if (servers.length === 0) throw new ConfigurationError("No NATS server is given");
  const url = servers[0]!;
  const [user, pass, token] = [o.user ?? url.user, o.password ?? url.pass, o.token ?? url.token];
  return {
    servers: servers.map((s) => s.server),
    name: o.name ?? "millrace",
    inboxPrefix,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 400,
    reconnectJitterTLS: 400,
    pingInterval: PING_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    // Own messages reach own subscribers inside the process (store.ts).
    noEcho: true,
    timeout: REQUEST_TIMEOUT_MS,
    ...(o.creds === undefined
      ? {}
      : { authenticator: credsAuthenticator(readable("credentials file", o.creds)) }),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(o.tls === undefined
      ? {}
      : {
          tls: {
            ...(o.tls.ca === undefined ? {} : { caFile: o.tls.ca }),
            ...(o.tls.cert === undefined ? {} : { certFile: o.tls.cert }),
            ...(o.tls.key === undefined ? {} : { keyFile: o.tls.key }),
          },
        }),
  };
};

const AUTHORIZATION = new Set([
  "AUTHORIZATION_VIOLATION",
  "BAD_AUTHENTICATION",
  "BAD_CREDS",
  "AUTHENTICATION_EXPIRED",
  "ACCOUNT_EXPIRED",
]);

const codeOf = (e: unknown): string => String((e as { code?: unknown } | undefined)?.code ?? "");

const authorization = (servers: string, cause: unknown): AuthorizationError =>
  new AuthorizationError(
    `NATS at ${servers} refuses the credentials: ${(cause as Error | undefined)?.message ?? "authorization violation"}`,
    { cause },
  );

/** What happens to the connection, for readers and publishers. */
export interface ConnectionListener {
  disconnected?(): void;
  reconnected?(): void;
  /** A subject was refused by permissions. */
  denied?(operation: string, subject: string): void;
  /** For good. */
  closed?(error: unknown): void;
}

/** A subscription of our own parser. */
export interface FrameSubscription {
  readonly subject: string;
  unsubscribe(): void;
}

/** What we use of the client's inside: its version is pinned, and `test/unit/jetstream-wire.test.ts` fails when it changes. */
interface ClientInside {
  readonly protocol: { parser: ClientParser; sendCommand(bytes: Uint8Array): void };
}

/** Puts our parser before the client's, now and after every dial. */
const inboundOf = ({ protocol }: ClientInside): Inbound => {
  let client = protocol.parser;
  const inbound = new Inbound(client);
  Object.defineProperty(protocol, "parser", {
    configurable: true,
    get: () => inbound,
    set: (next: ClientParser) => {
      client = next;
      inbound.renew(client);
    },
  });
  return inbound;
};

export class Connection {
  readonly clock: Clock;
  /** The servers, without credentials, for messages. */
  readonly servers: string;
  readonly #nc: NatsConnection;
  readonly #in: Inbound;
  readonly #out: Outbound;
  readonly #inbox: string;
  readonly #onStatus: (message: string) => void;
  readonly #listeners = new Set<ConnectionListener>();
  /** Ends of the requests in flight. */
  readonly #inFlight = new Set<(e: unknown) => void>();
  #connected = true;
  #closing = false;
  #failed: unknown;
  #inboxes = 0;

  private constructor(nc: NatsConnection, options: NatsOptions, inbox: string, servers: string) {
    this.#nc = nc;
    const inside = nc as unknown as ClientInside;
    this.#in = inboundOf(inside);
    this.#out = new Outbound((bytes) => inside.protocol.sendCommand(bytes));
    this.clock = options.clock;
    this.servers = servers;
    this.#inbox = inbox;
    this.#onStatus = options.onStatus ?? (() => {});
    void this.#watch();
    void nc.closed().then((e) => this.#closed(e ?? undefined));
  }

  /** Connects, waiting for a server that is away. AuthorizationError, ConfigurationError; UnavailableError when `signal` aborts. */
  static async open(options: NatsOptions): Promise<Connection> {
    const inbox = options.inboxPrefix ?? `_INBOX_${nuid.next()}`;
    const settings = clientOptions(options, inbox);
    const servers = (settings.servers as string[]).join(", ");
    for (let failures = 0; ; failures++) {
      try {
        const nc = await connect(settings);
        if (failures > 0) options.onStatus?.(`Connected to NATS at ${servers}`);
        return new Connection(nc, options, inbox, servers);
      } catch (cause) {
        if (AUTHORIZATION.has(codeOf(cause))) throw authorization(servers, cause);
        if (codeOf(cause) === "INVALID_OPTION")
          throw new ConfigurationError((cause as Error).message, { cause });
        const why = `${(cause as Error).message || codeOf(cause)}`;
        if (failures === 0) options.onStatus?.(`NATS at ${servers} cannot be reached (${why}); trying again`);
        await sleep(options.clock, Math.min(RETRY_MS * 2 ** failures, RETRY_MAX_MS), options.signal);
        if (options.signal?.aborted)
          throw new UnavailableError(`NATS at ${servers} cannot be reached: ${why}`, { cause });
      }
    }
  }

  get maxPayload(): number {
    return this.#nc.info?.max_payload ?? 1024 * 1024;
  }

  get serverVersion(): string {
    return this.#nc.info?.version ?? "unknown";
  }

  get connected(): boolean {
    return this.#connected && this.#failed === undefined && !this.#closing;
  }

  /** Why the connection is over for good; undefined while it is not. */
  get ended(): unknown {
    return (
      this.#failed ?? (this.#closing ? new UnavailableError("The connection to NATS is closed") : undefined)
    );
  }

  /** A subject of its own for answers, without wildcard. */
  inbox(): string {
    return `${this.#inbox}.${++this.#inboxes}`;
  }

  listen(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  status(message: string): void {
    this.#onStatus(message);
  }

  /** Sends without waiting; what is sent while the server is away is lost. */
  publish(subject: string, payload: Uint8Array, reply?: string, headers?: MsgHdrs): void {
    if (!this.connected) return;
    this.#out.flush();
    this.#nc.publish(subject, payload, {
      ...(reply === undefined ? {} : { reply }),
      ...(headers === undefined ? {} : { headers }),
    });
  }

  /** As `publish`, with an answer expected at `reply`: for many messages, sent together at the end of this turn of the event loop. */
  publishWith(subject: string, reply: string, payload: Uint8Array, headers: HeaderPairs | undefined): void {
    if (this.connected) this.#out.publish(subject, reply, payload, headers);
  }

  /** As `publishWith`, for rows; see Outbound. */
  publishRow(frame: RowFrame, numbers: RowNumbers, bytes: Buffer, from: number, to: number): void {
    if (this.connected) this.#out.publishRow(frame, numbers, bytes, from, to);
  }

  subscribe(subject: string, handler: (m: Msg) => void): Subscription {
    const ended = this.ended;
    if (ended !== undefined) throw ended;
    this.#out.flush();
    return this.#nc.subscribe(subject, {
      callback: (error, m) => {
        if (error === null) handler(m);
      },
    });
  }

  /** A subscription for many messages: each as it lies in the bytes that were received, valid while it is handled. */
  frames(subject: string, handler: FrameHandler): FrameSubscription {
    const s = this.subscribe(subject, () => {});
    const sid = s.getID();
    this.#in.add(sid, handler);
    return {
      subject,
      unsubscribe: () => {
        this.#in.remove(sid);
        s.unsubscribe();
      },
    };
  }

  /** One answer. UnavailableError on silence, disconnect and when nobody listens (`code` 503); AuthorizationError when denied. */
  async request(subject: string, payload: Uint8Array, headers?: MsgHdrs): Promise<Msg> {
    if (!this.#connected) await this.#reconnection();
    const ended = this.ended;
    if (ended !== undefined) throw ended;
    let end!: (e: unknown) => void;
    const lost = new Promise<never>((_, reject) => (end = reject));
    lost.catch(() => {});
    this.#inFlight.add(end);
    try {
      this.#out.flush();
      const answer = this.#nc.request(subject, payload, {
        timeout: REQUEST_TIMEOUT_MS,
        ...(headers === undefined ? {} : { headers }),
      });
      answer.catch(() => {});
      return await Promise.race([answer, lost]);
    } catch (e) {
      throw this.#translated(subject, e);
    } finally {
      this.#inFlight.delete(end);
    }
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#out.flush();
    this.#closing = true;
    this.#lose();
    if (!this.#nc.isClosed()) {
      if (this.#connected) await Promise.race([this.#nc.flush().catch(() => {}), sleep(this.clock, 500)]);
      await this.#nc.close().catch(() => {});
    }
  }

  #translated(subject: string, e: unknown): unknown {
    if (e instanceof UnavailableError || e instanceof AuthorizationError) return e;
    const code = codeOf(e);
    if (code === "PERMISSIONS_VIOLATION")
      return new AuthorizationError(`NATS does not permit ${subject}: ${(e as Error).message}`, { cause: e });
    if (AUTHORIZATION.has(code)) return authorization(this.servers, e);
    const why = code === "503" ? "nobody answers (no JetStream, no leader, or no such stream)" : "no answer";
    return new UnavailableError(`NATS at ${this.servers}: ${why} on ${subject}`, {
      cause: e,
      ...(code === "503" ? { errorClass: "NO_RESPONDERS" } : {}),
    });
  }

  /** Waits until the connection is back, at most a request's time. */
  async #reconnection(): Promise<void> {
    if (this.ended !== undefined) return;
    let back = (): void => {};
    const reconnected = new Promise<void>((resolve) => (back = resolve));
    const end = this.listen({ reconnected: back, closed: back });
    const waited = new AbortController();
    await Promise.race([reconnected, sleep(this.clock, REQUEST_TIMEOUT_MS, waited.signal)]);
    waited.abort();
    end();
    if (!this.#connected && this.ended === undefined)
      throw new UnavailableError(`NATS at ${this.servers} cannot be reached`);
  }

  #lose(): void {
    const lost = new UnavailableError(`The connection to NATS at ${this.servers} was lost`);
    for (const end of [...this.#inFlight]) end(lost);
    this.#inFlight.clear();
  }

  async #watch(): Promise<void> {
    for await (const s of this.#nc.status()) {
      if (s.type === "disconnect") this.#disconnected();
      else if (s.type === "reconnect") this.#reconnected();
      else if (s.type === "error" && s.permissionContext !== undefined)
        for (const l of [...this.#listeners])
          l.denied?.(s.permissionContext.operation, s.permissionContext.subject);
    }
  }

  #disconnected(): void {
    if (!this.#connected || this.#closing) return;
    this.#connected = false;
    this.#onStatus(`The connection to NATS at ${this.servers} was lost; trying again`);
    this.#lose();
    for (const l of [...this.#listeners]) l.disconnected?.();
  }

  #reconnected(): void {
    this.#connected = true;
    this.#onStatus(`Connected to NATS at ${this.servers} again`);
    for (const l of [...this.#listeners]) l.reconnected?.();
  }

  #closed(error: unknown): void {
    if (!this.#closing) {
      this.#failed =
        error !== undefined && AUTHORIZATION.has(codeOf(error))
          ? authorization(this.servers, error)
          : new UnavailableError(`The connection to NATS at ${this.servers} is closed`, { cause: error });
      this.#onStatus((this.#failed as Error).message);
    }
    this.#connected = false;
    this.#lose();
    for (const l of [...this.#listeners]) l.closed?.(this.ended);
  }
}
