/** How appends reach a log in memory: in which order, and with which fate. */
import { UnavailableError } from "../core/errors.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { PlainRecord, PublishTransport } from "./publish-window.ts";

/**
 * What becomes of one append attempt:
 *  `store`        stored and acknowledged
 *  `storeLoseAck` stored, the writer never hears of it
 *  `refuse`       not stored, the writer is told that the broker is unavailable
 *  `lose`         not stored, the writer never hears of it
 *  `hold`         waits, with all that the same writer sends behind it, until `MemoryStore.release`
 */
export type Fate = "store" | "storeLoseAck" | "refuse" | "lose" | "hold";

export interface MemoryFaults {
  onAppend?(log: string, payload: Uint8Array, headers: Record<string, string> | undefined): Fate;
}

type Headers = Record<string, string> | undefined;
/** `heard`: whether the writer is told; then either `error` or the position. */
type Settled = (heard: boolean, error?: unknown, at?: number) => void;

/** Lets the attempt meet its fate, now or when it is released. */
export const decide = (
  log: MemoryLog,
  payload: Uint8Array,
  headers: Headers,
  expectLast: number | undefined,
  settled: Settled,
): void => {
  const { store, name } = log;
  const settle = (fate: Fate): void => {
    if (fate === "lose") return settled(false);
    if (fate === "refuse")
      return settled(true, new UnavailableError(`Log ${name}: the broker is unavailable`));
    let at: number;
    try {
      at = log.storeNow(payload, headers, expectLast);
    } catch (error) {
      return settled(fate !== "storeLoseAck", error);
    }
    settled(fate !== "storeLoseAck", undefined, at);
  };
  const fate = store.faults.onAppend?.(name, payload, headers) ?? "store";
  if (fate === "hold") store.hold((stored) => settle(stored ? "store" : "lose"));
  else settle(fate);
};

/** The connection of one writer: attempts arrive in order, each when the scheduler says; answers return in order too (M1). */
export class Wire implements PublishTransport {
  readonly #log: MemoryLog;
  readonly #attempts: (() => void)[] = [];
  readonly #answers: (() => void)[] = [];
  #busy = false;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  attempt({ payload, headers }: PlainRecord, done: (error?: unknown) => void): void {
    this.#attempts.push(() =>
      decide(this.#log, payload, headers, undefined, (heard, error) => {
        if (heard) {
          this.#answers.push(() => done(error));
          this.#log.store.schedule(() => this.#answers.shift()!());
        }
        this.#busy = false;
        this.#next();
      }),
    );
    this.#next();
  }

  #next(): void {
    if (this.#busy || this.#attempts.length === 0) return;
    this.#busy = true;
    const arrive = this.#attempts.shift()!;
    this.#log.store.schedule(arrive);
  }
}
