/** The keys that a dedup has seen: kept for ever or until their own event time is passed (`PlainKeys`), or for a delay after the first row (`DelayedKeys`). */
import type { DataType } from "../core/data-type.ts";
import type { Vector } from "../core/vector.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { AggregateTable } from "./aggregate-table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import type { OperatorContext } from "./operator.ts";
import { KeyEncoder } from "./row-keys.ts";
import { type EventTimeForm, timesOf } from "./watermark-time.ts";

export interface SeenKeys {
  open(context: OperatorContext): void;
  restored(): void;
  /** 1 for every row that is the first of its key; `times`: the late expression, where there is one. */
  firsts(keys: readonly Vector[], times: Vector | undefined, n: number): Uint8Array;
  /** Before `firsts` of the same rows, and before `forget`: to wait for what only the disk has. */
  fetch?(keys: readonly Vector[], n: number): Promise<void> | undefined;
  fetchClosing?(watermarkMs: number): Promise<void> | undefined;
  /** Forgets what the watermark lets go; how many. */
  forget(watermarkMs: number): number;
  /** What is kept of one key, for a look from outside: it may make a place for the key. */
  find(key: readonly Vector[]): Readonly<Record<string, unknown>> | undefined;
  /** At the end of an epoch: moves keys to disk. */
  relieve?(epoch: number): Promise<void> | undefined;
  close?(): void;
}

/** Fast: a table of groups without accumulators. */
export class PlainKeys implements SeenKeys {
  readonly #table: AggregateTable;

  constructor(
    types: readonly DataType[],
    routeBy: readonly number[] | undefined,
    eventTime: number | undefined,
  ) {
    this.#table = new AggregateTable({
      name: "keys",
      keyTypes: types,
      routeBy: routeBy ?? types.map((_, i) => i),
      accumulators: [],
      eventTime,
      spills: true,
    });
  }

  open(context: OperatorContext): void {
    context.tables.add(this.#table);
  }

  restored(): void {}

  fetch(keys: readonly Vector[], n: number): Promise<void> | undefined {
    return this.#table.fetch(keys, n);
  }

  fetchClosing(watermarkMs: number): Promise<void> | undefined {
    return this.#table.spill?.fetchThrough(watermarkMs);
  }

  relieve(epoch: number): Promise<void> | undefined {
    return this.#table.spill?.relieve(epoch);
  }

  close(): void {
    this.#table.spill?.close();
  }

  firsts(keys: readonly Vector[], _times: Vector | undefined, n: number): Uint8Array {
    const fresh = new Uint8Array(n);
    this.#table.lookup(keys, n, new Int32Array(n), fresh);
    return fresh;
  }

  find(key: readonly Vector[]): Readonly<Record<string, unknown>> | undefined {
    return this.firsts(key, undefined, 1)[0] === 1 ? undefined : { seen: true };
  }

  forget(watermarkMs: number): number {
    this.#table.takeTouched();
    const gone = this.#table.close(watermarkMs);
    this.#table.release(gone);
    return gone.length;
  }
}

export class DelayedKeys implements SeenKeys {
  readonly #encoder: KeyEncoder;
  readonly #form: EventTimeForm;
  readonly #delayMs: number;
  readonly #expiry = new ExpiryQueue<StateKey>();
  /** Key → time at which it is forgotten. */
  #table!: KeyedTable<number>;

  constructor(
    types: readonly DataType[],
    routeBy: readonly number[] | undefined,
    form: EventTimeForm,
    delayMs: number,
  ) {
    this.#encoder = new KeyEncoder(types, routeBy);
    this.#form = form;
    this.#delayMs = delayMs;
  }

  open(context: OperatorContext): void {
    this.#table = context.tables.keyed("keys");
  }

  restored(): void {
    for (const [key, time] of this.#table.scan()) this.#expiry.add(time, key);
  }

  firsts(vectors: readonly Vector[], times: Vector | undefined, n: number): Uint8Array {
    const first = new Uint8Array(n);
    const keyed = this.#encoder.encode(vectors, n);
    const at = timesOf(times!, n, this.#form);
    for (let i = 0; i < n; i++) {
      const key = keyed.keys[i]!;
      if (this.#table.get(key) !== undefined) continue;
      // Spark reads a null time as 0 here.
      const time = (at[i] === Infinity ? 0 : at[i]!) + this.#delayMs;
      this.#table.put(key, time, keyed.keyGroup(i));
      this.#expiry.add(time, key);
      first[i] = 1;
    }
    return first;
  }

  find(key: readonly Vector[]): Readonly<Record<string, unknown>> | undefined {
    const until = this.#table.get(this.#encoder.encode(key, 1).keys[0]!);
    return until === undefined ? undefined : { seen: true, until: new Date(until) };
  }

  forget(watermarkMs: number): number {
    const gone = this.#expiry.takeThrough(watermarkMs);
    for (const key of gone) this.#table.delete(key);
    return gone.length;
  }
}
