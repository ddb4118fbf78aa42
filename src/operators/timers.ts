/** Timers of a StatefulProcessor: any number of times per key. T1: `queue` has every timer of the table; deleted ones are skipped by looking them up. */
import { TIMESTAMP } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import type { Row } from "../core/value.ts";
import { encodeValue } from "../state/key-codec.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import type { CurrentKey } from "./state-variables.ts";
import type { UndoLog } from "./undo-log.ts";

/** [length of the key bytes, key group, key values, time in ms] */
export type StoredTimer = readonly [number, number, Row, number];

export interface DueTimer extends CurrentKey {
  readonly timeMs: number;
}

export class Timers {
  readonly #table: KeyedTable<StoredTimer>;
  readonly #queue = new ExpiryQueue<StateKey>();
  readonly #byKey = new Map<StateKey, Set<number>>();

  readonly #undo: UndoLog;

  constructor(table: KeyedTable<StoredTimer>, undo: UndoLog) {
    this.#table = table;
    this.#undo = undo;
  }

  restore(): void {
    for (const [stored, [length, , , timeMs]] of this.#table.scan())
      this.#file(stored.slice(0, length), stored, timeMs);
  }

  #file(key: StateKey, stored: StateKey, timeMs: number): void {
    const times = this.#byKey.get(key);
    if (times === undefined) this.#byKey.set(key, new Set([timeMs]));
    else times.add(timeMs);
    this.#queue.add(timeMs, stored);
  }

  register({ key, keyGroup, keyValues }: CurrentKey, timeMs: number): void {
    if (!Number.isFinite(timeMs) || timeMs < 0)
      throw new ExecutionError(`a timer needs a time in milliseconds >= 0, not ${timeMs}`, {
        errorClass: "INVALID_TIMER",
      });
    const stored = key + encodeValue(timeMs, TIMESTAMP);
    if (this.#table.get(stored) !== undefined) return;
    this.#undo.note(() => this.delete(key, timeMs));
    this.#table.put(stored, [key.length, keyGroup, keyValues, timeMs], keyGroup);
    this.#file(key, stored, timeMs);
  }

  delete(key: StateKey, timeMs: number): void {
    const stored = key + encodeValue(timeMs, TIMESTAMP);
    const before = this.#table.get(stored);
    if (before === undefined) return;
    this.#undo.note(() => {
      this.#table.put(stored, before, before[1]);
      this.#file(key, stored, timeMs);
    });
    this.#table.delete(stored);
    const times = this.#byKey.get(key);
    times?.delete(timeMs);
    if (times?.size === 0) this.#byKey.delete(key);
  }

  list(key: StateKey): number[] {
    return [...(this.#byKey.get(key) ?? [])].sort((a, b) => a - b);
  }

  has(key: StateKey, timeMs: number): boolean {
    return this.#byKey.get(key)?.has(timeMs) === true;
  }

  /** Timers with time <= limit, by time, then key. They stay until deleted. */
  due(limit: number): DueTimer[] {
    const due: DueTimer[] = [];
    for (const stored of new Set(this.#queue.takeThrough(limit))) {
      const timer = this.#table.get(stored);
      if (timer === undefined) continue;
      const [length, keyGroup, keyValues, timeMs] = timer;
      due.push({ key: stored.slice(0, length), keyGroup, keyValues, timeMs });
    }
    return due.sort((a, b) => a.timeMs - b.timeMs || (a.key < b.key ? -1 : 1));
  }
}
