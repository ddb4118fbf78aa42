/**
 * One side of a stream-stream join: its rows by join key, with a flag "matched" for outer joins, filed by when the watermark evicts them.
 *
 * Invariants. J1: the table holds exactly the rows of `rows`, each under key bytes + its index among the rows of its key; the index grows, so rows of a
 * key keep their order of arrival. J2: `expiry` has every row that can be evicted at its time.
 */
import type { Row } from "../core/value.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { decodeIndex, encodeIndex, INDEX_BYTES } from "./row-keys.ts";

export interface JoinRow {
  readonly base: StateKey;
  readonly stored: StateKey;
  readonly keyGroup: number;
  readonly row: Row;
  /** The row leaves when this is <= watermark; Infinity: never. */
  readonly evictAt: number;
  matched: boolean;
  /** False once it has left the state. */
  alive: boolean;
}

/** [key group, row, evictAt (null: never), matched] */
export type StoredJoinRow = readonly [number, Row, number | null, 0 | 1];

const NONE: readonly JoinRow[] = [];

export class JoinState {
  readonly #table: KeyedTable<StoredJoinRow>;
  readonly #rows = new Map<StateKey, JoinRow[]>();
  readonly #expiry = new ExpiryQueue<JoinRow>();

  constructor(table: KeyedTable<StoredJoinRow>) {
    this.#table = table;
  }

  restore(): void {
    for (const [stored, [keyGroup, row, evictAt, matched]] of this.#table.scan())
      this.#index({
        base: stored.slice(0, stored.length - INDEX_BYTES),
        stored,
        keyGroup,
        row,
        evictAt: evictAt ?? Infinity,
        matched: matched === 1,
        alive: true,
      });
  }

  #index(entry: JoinRow): void {
    const list = this.#rows.get(entry.base);
    if (list === undefined) this.#rows.set(entry.base, [entry]);
    else list.push(entry);
    if (entry.evictAt !== Infinity) this.#expiry.add(entry.evictAt, entry);
  }

  /** Rows of a key in order of arrival. */
  of(key: StateKey): readonly JoinRow[] {
    return this.#rows.get(key) ?? NONE;
  }

  add(base: StateKey, keyGroup: number, row: Row, evictAt: number, matched: boolean): void {
    const before = this.of(base).at(-1);
    const index = before === undefined ? 0 : decodeIndex(before.stored.slice(-INDEX_BYTES)) + 1;
    const entry = { base, stored: base + encodeIndex(index), keyGroup, row, evictAt, matched, alive: true };
    this.#index(entry);
    this.#write(entry);
  }

  #write(e: JoinRow): void {
    const evictAt = e.evictAt === Infinity ? null : e.evictAt;
    this.#table.put(e.stored, [e.keyGroup, e.row, evictAt, e.matched ? 1 : 0], e.keyGroup);
  }

  markMatched(entry: JoinRow): void {
    if (entry.matched) return;
    entry.matched = true;
    this.#write(entry);
  }

  /** Takes out what the watermark evicts, by time, then key: an order that a restored side has too. */
  evict(watermarkMs: number): JoinRow[] {
    const gone = this.#expiry.takeThrough(watermarkMs).filter((e) => e.alive);
    gone.sort((a, b) =>
      a.evictAt !== b.evictAt
        ? a.evictAt - b.evictAt
        : a.stored < b.stored
          ? -1
          : a.stored > b.stored
            ? 1
            : 0,
    );
    const byBase = new Map<StateKey, JoinRow[]>();
    for (const e of gone) {
      const list = byBase.get(e.base);
      if (list === undefined) byBase.set(e.base, [e]);
      else list.push(e);
    }
    for (const [base, rows] of byBase) this.remove(base, rows);
    return gone;
  }

  /** Takes rows of one key out. */
  remove(base: StateKey, rows: readonly JoinRow[]): void {
    for (const e of rows) {
      e.alive = false;
      this.#table.delete(e.stored);
    }
    const left = this.of(base).filter((e) => e.alive);
    if (left.length === 0) this.#rows.delete(base);
    else this.#rows.set(base, left);
  }

  /** All rows, by key bytes, then arrival. */
  all(): JoinRow[] {
    return [...this.#rows.keys()].sort().flatMap((k) => this.#rows.get(k)!);
  }
}
