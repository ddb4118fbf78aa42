/**
 * Serves a log store to other processes of this machine over a socket, so that `--workers N` nodes share the embedded log of
 * their parent.
 *
 * Invariants.
 *  V1 a log is named by name and creation time in every request: one that was re-created is refused, never mistaken (L4).
 *  V2 requests of one connection that append are handed to the store in the order they came (a publisher's order).
 *  V3 a connection's readers and subscriptions end with it.
 */
import { createServer, type Server, type Socket } from "node:net";
import { position } from "../core/brands.ts";
import { ConfigurationError, UnavailableError } from "../core/errors.ts";
import type { Log, LogRecord, LogStore, Reader } from "./log.ts";
import { recreated } from "./refusals.ts";
import { encodeError, readMessages, type WireRecord, writeMessage } from "./served-wire.ts";

const wireOf = (r: LogRecord): WireRecord => [
  r.position,
  r.payload,
  r.headers === undefined ? null : Object.entries(r.headers),
];

type Headers = [string, string][] | null;
const append = (payload: unknown, headers: unknown, expectLast: unknown) =>
  [
    payload as Uint8Array,
    {
      ...(headers === null ? {} : { headers: Object.fromEntries(headers as [string, string][]) }),
      ...(expectLast === null ? {} : { expectLast: position(expectLast as number) }),
    },
  ] as const;

class Client {
  readonly #socket: Socket;
  readonly #host: LogServer;
  readonly #readers = new Map<number, Reader>();
  readonly #subscriptions = new Map<string, () => void>();

  constructor(host: LogServer, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    readMessages(socket, (m) => this.#message(m));
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
  }

  #end(): void {
    for (const r of this.#readers.values()) r.close();
    for (const end of this.#subscriptions.values()) end();
    this.#readers.clear();
    this.#subscriptions.clear();
  }

  #message(m: readonly unknown[]): void {
    const [first, subject, payload] = m as [unknown, string, Uint8Array];
    if (typeof first === "number") return this.#request(first, m);
    const { bus } = this.#host.store;
    if (first === "bus") return bus.publish(subject, payload);
    this.#subscriptions.get(subject)?.();
    this.#subscriptions.delete(subject);
    if (first === "sub") {
      const end = bus.subscribe(subject, (p) => writeMessage(this.#socket, ["bus", subject, p]));
      this.#subscriptions.set(subject, end);
    }
  }

  #request(id: number, m: readonly unknown[]): void {
    const answer = this.#perform(m[1] as string, m.slice(2));
    answer.then(
      (result) => writeMessage(this.#socket, [id, null, result ?? null]),
      (e: unknown) => writeMessage(this.#socket, [id, encodeError(e)]),
    );
  }

  /** Known logs are used at once, without a turn of the loop between (V2). */
  #perform(operation: string, a: readonly unknown[]): Promise<unknown> {
    const { store } = this.#host;
    switch (operation) {
      case "open":
        return this.#open(a);
      case "list":
        return store.list(a[0] as string);
      case "remove":
        return store.remove(a[0] as string);
      case "next":
        return this.#next(a[0] as number);
      case "end":
        this.#readers.get(a[0] as number)?.close();
        this.#readers.delete(a[0] as number);
        return Promise.resolve();
      default: {
        const known = this.#host.known(a[0] as string, a[1] as string);
        if (known !== undefined) return this.#onLog(operation, known, a.slice(2));
        return this.#host
          .find(a[0] as string, a[1] as string)
          .then((log) => this.#onLog(operation, log, a.slice(2)));
      }
    }
  }

  async #open([name, maxBytes, replicas]: readonly unknown[]): Promise<string> {
    const log = await this.#host.store.open(name as string, {
      ...(maxBytes === null ? {} : { maxBytes: maxBytes as number }),
      ...(replicas === null ? {} : { replicas: replicas as 1 | 3 }),
    });
    this.#host.remember(log);
    return log.created;
  }

  async #next(reader: number): Promise<readonly WireRecord[]> {
    const r = this.#readers.get(reader);
    if (r === undefined) throw new UnavailableError("The reader is closed");
    return (await r.next()).map(wireOf);
  }

  async #onLog(operation: string, log: Log, a: readonly unknown[]): Promise<unknown> {
    switch (operation) {
      case "append":
        return log.append(...append(a[0], a[1] as Headers, a[2]));
      case "read":
        this.#readers.set(a[0] as number, log.reader(position(a[1] as number)));
        return undefined;
      case "get": {
        const r = await log.get(position(a[0] as number));
        return r === undefined ? null : wireOf(r);
      }
      case "bounds": {
        const b = await log.bounds();
        return [b.first, b.last, b.bytes, b.maxBytes];
      }
      case "trim":
        return log.trim(position(a[0] as number));
      case "setMaxBytes":
        return log.setMaxBytes(a[0] as number);
      default:
        throw new ConfigurationError(`The log server knows no operation ${operation}`);
    }
  }
}

/** Where a server listens: a socket file, or a port of the loopback interface (0: a free one). */
export type ServedAddress = { readonly path: string } | { readonly port: number };

export class LogServer {
  readonly store: LogStore;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #logs = new Map<string, Log>();
  #address: ServedAddress | undefined;

  private constructor(store: LogStore) {
    this.store = store;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      new Client(this, socket);
    });
  }

  static async listen(store: LogStore, address: ServedAddress): Promise<LogServer> {
    const server = new LogServer(store);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (cause) =>
        reject(new ConfigurationError(`The log cannot be served: ${cause.message}`, { cause })),
      );
      const where = "path" in address ? { path: address.path } : { port: address.port, host: "127.0.0.1" };
      server.#server.listen(where, resolve);
    });
    const at = server.#server.address();
    server.#address = typeof at === "object" && at !== null ? { port: at.port } : address;
    return server;
  }

  /** Where clients connect. */
  get address(): ServedAddress {
    return this.#address!;
  }

  remember(log: Log): void {
    this.#logs.set(`${log.name} ${log.created}`, log);
  }

  known(name: string, created: string): Log | undefined {
    return this.#logs.get(`${name} ${created}`);
  }

  /** A log that this server has not opened yet: after its restart. Never creates one. */
  async find(name: string, created: string): Promise<Log> {
    const exists = (await this.store.list(name)).includes(name);
    const log = exists ? await this.store.open(name) : undefined;
    if (log?.created !== created) throw recreated(name, created, log?.created);
    this.remember(log);
    return log;
  }

  /** Ends the service; the store stays open. */
  async close(): Promise<void> {
    for (const s of this.#sockets) s.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
