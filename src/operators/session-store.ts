/**
 * The sessions of a session-window aggregate: per key a list of disjoint sessions ordered by start, each with a group of the accumulators; the
 * table behind holds one entry a session.
 *
 * Invariants. N1: sessions of a key neither overlap nor touch ([s, e] closed: a row that starts where a session ends joins it, as
 * in Spark). N2: after `save` the table holds exactly the live sessions, under key bytes + start. N3: `expiry` has, for every live session, one
 * entry not above its end: one that has grown since is filed anew when its entry comes; entries of dead ones are skipped.
 */
import { TIMESTAMP } from "../core/data-type.ts";
import type { Row, Value } from "../core/value.ts";
import type { Accumulator } from "../expr/contract.ts";
import { encodeValue } from "../state/key-codec.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";

export interface Session {
  readonly base: StateKey;
  readonly keyGroup: number;
  readonly keyValues: Row;
  readonly group: number;
  start: number;
  end: number;
  alive: boolean;
  /** Key under which the table has it. */
  stored: StateKey | undefined;
}

/** Key group and key values of the rows of a batch, by number. */
export interface KeysOfRows {
  keyGroup(row: number): number;
  values(row: number): Row;
}

/** [length of the key bytes, start, end, key values, key group, states …] */
export type StoredSession = readonly [number, number, number, Row, number, ...Value[]];

export class SessionStore {
  readonly #table: KeyedTable<StoredSession>;
  readonly #accumulators: readonly Accumulator[];
  readonly #byKey = new Map<StateKey, Session[]>();
  readonly #changed = new Set<Session>();
  readonly #gone: StateKey[] = [];
  readonly #expiry = new ExpiryQueue<Session>();
  #free: number[] = [];
  #groups = 0;
  #size = 0;
  readonly #closes: boolean;

  /** `closes`: whether sessions are ever closed; without that nothing is filed by its end. */
  constructor(table: KeyedTable<StoredSession>, accumulators: readonly Accumulator[], closes: boolean) {
    this.#table = table;
    this.#accumulators = accumulators;
    this.#closes = closes;
  }

  get size(): number {
    return this.#size;
  }

  /** Sessions changed since the last `save`, in the order of their first change. */
  get changed(): readonly Session[] {
    return [...this.#changed].filter((s) => s.alive);
  }

  /** Rebuilds all from the table. */
  restore(): void {
    for (const [stored, [length, start, end, keyValues, keyGroup, ...states]] of this.#table.scan()) {
      const session = this.#add(stored.slice(0, length), keyGroup, keyValues, start, end);
      session.stored = stored;
      this.#accumulators.forEach((a, i) => a.load(session.group, states[i]!));
    }
    this.#changed.clear();
  }

  #add(base: StateKey, keyGroup: number, keyValues: Row, start: number, end: number): Session {
    const group = this.#free.pop() ?? this.#groups++;
    for (const a of this.#accumulators) a.ensure(this.#groups);
    const session = { base, keyGroup, keyValues, group, start, end, alive: true, stored: undefined };
    const list = this.#byKey.get(base);
    if (list === undefined) this.#byKey.set(base, [session]);
    else {
      let at = list.length;
      while (at > 0 && list[at - 1]!.start > start) at--;
      list.splice(at, 0, session);
    }
    this.#size++;
    this.#file(session);
    return session;
  }

  #file(session: Session): void {
    if (this.#closes) this.#expiry.add(session.end, session);
  }

  /**
   * The session that a row [start, end) belongs to, made or grown; `row` is its number in `keyed`. `beforeMerge` runs before states of sessions are
   * merged.
   */
  place(
    base: StateKey,
    start: number,
    end: number,
    row: number,
    keyed: KeysOfRows,
    beforeMerge: (row: number) => void,
  ): Session {
    const list = this.#byKey.get(base);
    const last = list?.at(-1);
    let session: Session | undefined;
    // The others end before the last one begins: a row from there on touches none of them.
    if (last === undefined || start >= last.start)
      session = last !== undefined && start <= last.end ? last : undefined;
    else {
      const touching = list!.filter((s) => s.start <= end && start <= s.end);
      session = touching[0];
      if (touching.length > 1) beforeMerge(row);
      for (const other of touching.slice(1)) this.#absorb(session!, other);
    }
    session ??= this.#add(base, keyed.keyGroup(row), keyed.values(row), start, end);
    if (start < session.start) session.start = start;
    if (end > session.end) session.end = end;
    this.#changed.add(session);
    return session;
  }

  #absorb(into: Session, other: Session): void {
    for (const a of this.#accumulators) a.merge(into.group, a.save(other.group));
    into.end = Math.max(into.end, other.end);
    this.remove(other);
  }

  /** Takes a session out; its group is reused. */
  remove(session: Session): void {
    session.alive = false;
    for (const a of this.#accumulators) a.clear(session.group);
    this.#free.push(session.group);
    this.#size--;
    this.#changed.delete(session);
    if (session.stored !== undefined) this.#gone.push(session.stored);
    const list = this.#byKey.get(session.base)!;
    if (list.length === 1) this.#byKey.delete(session.base);
    else list.splice(list.indexOf(session), 1);
  }

  /** Sessions with end <= limit, by end, then key: an order that a restored store has too. They stay until `remove`. */
  closed(limit: number): Session[] {
    const taken = this.#expiry.takeThrough(limit).filter((s) => s.alive);
    for (const s of taken) if (s.end > limit) this.#file(s);
    return taken
      .filter((s) => s.end <= limit)
      .sort((a, b) =>
        a.end !== b.end ? a.end - b.end : a.base !== b.base ? (a.base < b.base ? -1 : 1) : a.start - b.start,
      );
  }

  /** All sessions, by key bytes, then start. */
  all(): Session[] {
    return [...this.#byKey.keys()].sort().flatMap((k) => this.#byKey.get(k)!);
  }

  /** Writes what changed to the table (N2). */
  save(): void {
    for (const key of this.#gone) this.#table.delete(key);
    this.#gone.length = 0;
    for (const s of this.#changed) {
      const key = s.base + encodeValue(s.start, TIMESTAMP);
      if (s.stored !== undefined && s.stored !== key) this.#table.delete(s.stored);
    }
    for (const s of this.#changed) {
      s.stored = s.base + encodeValue(s.start, TIMESTAMP);
      const states = this.#accumulators.map((a) => a.save(s.group));
      this.#table.put(
        s.stored,
        [s.base.length, s.start, s.end, s.keyValues, s.keyGroup, ...states],
        s.keyGroup,
      );
    }
    this.#changed.clear();
  }
}
