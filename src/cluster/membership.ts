/**
 * Who is there and who leads: nodes announce themselves in the session's lease log and renew; one leads, by compare-and-set on the same log, and
 * the position of its claim is the fencing token (DESIGN section 8, law 9).
 *
 * Invariants.
 *  M1 liveness is judged by the reader's own monotonic clock since the last record it saw of a node; wall clocks are never compared.
 *  M2 a node counts itself alive only until 2/3 of the lease after it *sent* its newest confirmed renewal.
 *  M3 a node whose lease ended never renews under that id again.
 *  M4 a claim is appended behind all that was read; so of two claims the second knows the first.
 *  M5 whoever listens hears when a lease that was late is confirmed after all: what ended meanwhile begins again, though no record says so.
 *  M6 a token below one that was read is no leader's: a late renewal of a deposed one does not bring it back.
 */
import type { Clock } from "../core/clock.ts";
import { sleep } from "../core/clock.ts";
import { position } from "../core/brands.ts";
import { LogConflictError } from "../core/errors.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import type { Log, Reader } from "../log/log.ts";

interface LeaseRecord {
  readonly kind: "renew" | "leave" | "lead";
  readonly node: string;
  /** The embedded log's boot: nodes of another boot are gone (their process held the log's lock). */
  readonly boot: string;
  /** Position of this node's claim while it leads; 0 otherwise. */
  readonly token: number;
  readonly info: Readonly<Record<string, string>>;
}

interface Seen {
  at: number;
  info: Readonly<Record<string, string>>;
}

export interface MembershipOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly leaseMs: number;
  readonly boot: string;
  readonly info: Readonly<Record<string, string>>;
  /** Nodes known from outside to be gone: no lease of theirs is waited for. */
  readonly gone?: ReadonlySet<string>;
}

export interface Leader {
  readonly node: string;
  readonly token: number;
}

/** Renewals in one lease. */
const RENEWALS = 5;
/** Records kept behind the newest when the leader trims. */
const KEPT_RECORDS = 1_000;

export class Membership {
  readonly #o: MembershipOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #listeners = new Set<() => void>();
  readonly #abort = new AbortController();
  readonly #hosted = new Map<string, string>();
  #reader: Reader | undefined;
  #position = 0;
  #confirmed: number;
  #leader: Leader | undefined;
  /** Of all tokens read (M6). */
  #highest = 0;
  #lost = false;
  #left = false;
  #claiming = false;
  error: unknown;

  constructor(options: MembershipOptions) {
    this.#o = options;
    this.#confirmed = options.clock.monotonic();
  }

  get nodeId(): string {
    return this.#o.nodeId;
  }

  /** Joins: announces itself, reads the log, and starts to renew. */
  async start(): Promise<void> {
    const bounds = await this.#o.log.bounds();
    this.#position = bounds.first - 1;
    this.#reader = this.#o.log.reader(bounds.first);
    void this.#follow();
    await this.#renew();
    await this.#until(() => this.#position > bounds.last);
    void this.#renewing();
    await this.#elect();
  }

  /** M2. Everything that writes to something shared asks this first. */
  alive(): boolean {
    return (
      !this.#lost && !this.#left && this.#o.clock.monotonic() - this.#confirmed < (this.#o.leaseMs * 2) / 3
    );
  }

  /** True once the lease was lost: the node must join again under a new id. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Ids of living nodes, sorted. */
  nodes(): readonly string[] {
    const now = this.#o.clock.monotonic();
    const out = [...this.#seen]
      .filter(([id, s]) => id === this.nodeId || now - s.at <= this.#o.leaseMs)
      .map(([id]) => id);
    return out.sort();
  }

  /** Announces that this node runs `query`, with the fingerprint of its plan. */
  async host(query: string, fingerprint: string): Promise<void> {
    this.#hosted.set(query, fingerprint);
    await this.#renew();
    await this.#until(() => this.info(this.nodeId)?.[`query:${query}`] === fingerprint);
  }

  unhost(query: string): void {
    this.#hosted.delete(query);
  }

  /** Living nodes that run `query`, sorted. */
  hosts(query: string): readonly string[] {
    return this.nodes().filter((n) => this.info(n)?.[`query:${query}`] !== undefined);
  }

  info(node: string): Readonly<Record<string, string>> | undefined {
    return this.#seen.get(node)?.info;
  }

  get leader(): Leader | undefined {
    return this.#leader !== undefined && this.nodes().includes(this.#leader.node) ? this.#leader : undefined;
  }

  /** This node's token while it leads. */
  get token(): number | undefined {
    return this.#leader?.node === this.nodeId && this.alive() ? this.#leader.token : undefined;
  }

  onChange(f: () => void): () => void {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }

  /** Somebody saw the node die: its lease need not run out. */
  forget(node: string): void {
    if (this.#leader?.node === node) this.#leader = undefined;
    if (this.#seen.delete(node)) this.#changed();
    void this.#elect();
  }

  /** Leaves the group: others take over at once. */
  async leave(): Promise<void> {
    if (this.#left) return;
    const tell = this.alive();
    this.#left = true;
    this.#abort.abort();
    if (tell) await this.#append("leave").catch(() => {});
    this.#reader?.close();
  }

  /** Ends without a word, as a crash does. */
  close(): void {
    this.#left = true;
    this.#abort.abort();
    this.#reader?.close();
  }

  #append(kind: LeaseRecord["kind"], expectLast?: number): Promise<number> {
    const record: LeaseRecord = {
      kind,
      node: this.nodeId,
      boot: this.#o.boot,
      token: this.#leader?.node === this.nodeId ? this.#leader.token : 0,
      info: { ...this.#o.info, ...Object.fromEntries([...this.#hosted].map(([q, f]) => [`query:${q}`, f])) },
    };
    const expect = expectLast === undefined ? {} : { expectLast: position(expectLast) };
    return this.#o.log.append(pack(record), expect);
  }

  async #renew(): Promise<void> {
    // M3.
    if (this.#lost) return;
    const sent = this.#o.clock.monotonic();
    await this.#append("renew");
    const late = !this.alive();
    this.#confirmed = Math.max(this.#confirmed, sent);
    // M5.
    if (late && this.alive()) this.#changed();
  }

  async #renewing(): Promise<void> {
    const { clock, leaseMs, log } = this.#o;
    for (let n = 1; !this.#left; n++) {
      await sleep(clock, leaseMs / RENEWALS, this.#abort.signal);
      if (this.#left) return;
      if (!this.alive()) return this.#lose();
      // A renewal that hangs must not keep the next from being tried.
      void this.#renew().catch(() => {});
      this.#expire();
      void this.#elect();
      if (n % 100 === 0 && this.token !== undefined && this.#position > KEPT_RECORDS)
        await log.trim(position(this.#position - KEPT_RECORDS)).catch(() => {});
    }
  }

  #lose(): void {
    this.#lost = true;
    this.#abort.abort();
    this.#reader?.close();
    this.#changed();
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#left && !this.#lost) {
        for (const r of await this.#reader!.next()) this.#take(r.position, unpack(r.payload) as LeaseRecord);
      }
    } catch (e) {
      this.error = e;
      this.#lose();
    }
  }

  #take(at: number, record: LeaseRecord): void {
    this.#position = at;
    const before = this.#signature();
    if (record.boot !== this.#o.boot || this.#o.gone?.has(record.node) === true) {
      this.#changed();
      return;
    }
    if (record.kind === "leave") {
      this.#seen.delete(record.node);
      if (this.#leader?.node === record.node) this.#leader = undefined;
    } else {
      this.#seen.set(record.node, { at: this.#o.clock.monotonic(), info: record.info });
      const token = record.kind === "lead" ? at : record.token;
      if (token > 0 && token >= this.#highest) {
        this.#highest = token;
        this.#leader = { node: record.node, token };
      }
    }
    if (this.#signature() !== before || record.kind === "lead") this.#changed();
    else for (const f of this.#waiting) f();
    if (record.kind === "leave") void this.#elect();
  }

  #signature(): string {
    const nodes = [...this.#seen].map(([id, s]) => `${id}:${Object.keys(s.info).join()}`);
    return `${this.#leader?.token ?? 0}/${nodes.sort().join()}`;
  }

  /** Forgets nodes whose lease is over. */
  #expire(): void {
    const now = this.#o.clock.monotonic();
    let any = false;
    for (const [id, s] of this.#seen)
      if (id !== this.nodeId && now - s.at > this.#o.leaseMs) any = this.#seen.delete(id) || any;
    if (any) this.#changed();
  }

  /** Claims the lead if nobody living has it (M4). */
  async #elect(): Promise<void> {
    if (this.#claiming) return;
    this.#claiming = true;
    try {
      while (!this.#left && this.alive() && this.leader === undefined) {
        const expect = this.#position;
        try {
          const at = await this.#append("lead", expect);
          await this.#until(() => this.#position >= at);
        } catch (e) {
          if (!(e instanceof LogConflictError)) return;
          await this.#until(() => this.#position > expect);
        }
      }
    } finally {
      this.#claiming = false;
    }
  }

  readonly #waiting = new Set<() => void>();

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition() && !this.#left && !this.#lost) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  #changed(): void {
    for (const f of [...this.#waiting]) f();
    for (const f of [...this.#listeners]) f();
  }
}
