/**
 * A log store in another process (served-log.ts). The connection comes back by itself; what was in flight then rejects with UnavailableError
 * (append) or is repeated (everything else).
 */
import { connect, type Socket } from "node:net";
import { type Clock, sleep } from "../core/clock.ts";
import { UnavailableError } from "../core/errors.ts";
import { LocalBus } from "./local-bus.ts";
import type { Bus, Log, LogOptions, LogStore } from "./log.ts";
import { checkLogName } from "./names.ts";
import { ServedLog } from "./served-handle.ts";
import type { ServedAddress } from "./served-log.ts";
import { decodeError, readMessages, writeMessage } from "./served-wire.ts";

const RETRY_MS = 20;
const RETRY_MAX_MS = 500;

interface Pending {
  resolve(result: unknown): void;
  reject(e: unknown): void;
}

export class ServedStore implements LogStore {
  readonly kind = "served";
  readonly bus: Bus;
  readonly clock: Clock;
  readonly #address: ServedAddress;
  readonly #pending = new Map<number, Pending>();
  /** Called after each reconnect, and with `false` at each loss. */
  readonly #watchers = new Set<(connected: boolean) => void>();
  readonly #inbound = new LocalBus();
  readonly #subscribers = new Map<string, number>();
  #socket: Socket | undefined;
  #ids = 0;
  #closed = false;

  private constructor(address: ServedAddress, clock: Clock) {
    this.#address = address;
    this.clock = clock;
    this.bus = {
      publish: (subject, payload) => this.#send(["bus", subject, payload]),
      subscribe: (subject, handler) => this.#subscribe(subject, handler),
    };
  }

  /** Connects; waits for a server that is not there yet. */
  static async open(address: ServedAddress, clock: Clock): Promise<ServedStore> {
    const store = new ServedStore(address, clock);
    await store.#connect();
    return store;
  }

  async #connect(): Promise<void> {
    for (let failures = 0; !this.#closed; failures++) {
      const socket = await this.#dial();
      if (socket !== undefined) return this.#connected(socket);
      await sleep(this.clock, Math.min(RETRY_MS * 2 ** failures, RETRY_MAX_MS));
    }
  }

  #dial(): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      const a = this.#address;
      const socket = connect(
        "path" in a ? { path: a.path } : { port: a.port, host: "127.0.0.1", noDelay: true },
      );
      socket.once("connect", () => resolve(socket));
      socket.once("error", () => resolve(undefined));
    });
  }

  #connected(socket: Socket): void {
    if (this.#closed) return void socket.destroy();
    this.#socket = socket;
    readMessages(socket, (m) => this.#message(m));
    socket.on("error", () => {});
    socket.on("close", () => this.#lost(socket));
    for (const subject of this.#subscribers.keys()) this.#send(["sub", subject]);
    for (const w of [...this.#watchers]) w(true);
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    const lost = new UnavailableError("The connection to the log server was lost");
    for (const p of this.#pending.values()) p.reject(lost);
    this.#pending.clear();
    for (const w of [...this.#watchers]) w(false);
    if (!this.#closed) void this.#connect();
  }

  #send(message: readonly unknown[]): void {
    if (this.#socket !== undefined) writeMessage(this.#socket, message);
  }

  #message(m: readonly unknown[]): void {
    const [id, error, result] = m;
    if (id === "bus") return this.#inbound.publish(error as string, result as Uint8Array);
    const p = this.#pending.get(id as number);
    if (p === undefined) return;
    this.#pending.delete(id as number);
    if (error === null) p.resolve(result);
    else p.reject(decodeError(error as (string | null)[]));
  }

  #subscribe(subject: string, handler: (payload: Uint8Array) => void): () => void {
    const end = this.#inbound.subscribe(subject, handler);
    const n = this.#subscribers.get(subject) ?? 0;
    this.#subscribers.set(subject, n + 1);
    if (n === 0) this.#send(["sub", subject]);
    let live = true;
    return () => {
      if (!live) return;
      live = false;
      end();
      const left = this.#subscribers.get(subject)! - 1;
      if (left > 0) return void this.#subscribers.set(subject, left);
      this.#subscribers.delete(subject);
      this.#send(["unsub", subject]);
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  watch(watcher: (connected: boolean) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** One attempt. UnavailableError while the server is away. */
  call(operation: string, ...args: readonly unknown[]): Promise<unknown> {
    const socket = this.#socket;
    if (socket === undefined)
      return Promise.reject(
        new UnavailableError(this.#closed ? "The log is closed" : "The log server is away"),
      );
    return new Promise((resolve, reject) => {
      const id = ++this.#ids;
      this.#pending.set(id, { resolve, reject });
      writeMessage(socket, [id, operation, ...args]);
    });
  }

  /** Repeated until the server answers: for what may be done twice. */
  async patiently(operation: string, ...args: readonly unknown[]): Promise<unknown> {
    for (;;) {
      try {
        return await this.call(operation, ...args);
      } catch (e) {
        if (!(e instanceof UnavailableError) || this.#closed) throw e;
        await sleep(this.clock, RETRY_MS);
      }
    }
  }

  async open(name: string, options: LogOptions = {}): Promise<Log> {
    checkLogName(name);
    const created = await this.patiently("open", name, options.maxBytes ?? null, options.replicas ?? null);
    return new ServedLog(this, name, created as string);
  }

  async list(prefix: string): Promise<readonly string[]> {
    return (await this.patiently("list", prefix)) as string[];
  }

  async remove(name: string): Promise<void> {
    await this.patiently("remove", name);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const socket = this.#socket;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.end();
      socket.destroySoon();
    });
  }
}
