/**
 * Rows that an operator could not compute (`onError`): the query fails, or the row is left out and counted, or it goes to the query's dead-letter log as
 * well, before the epoch commits. A replay writes the same letters again: each carries (epoch, stage, partition, number), by which a reader tells
 * doubles. Which rows fail is a function of the rows, so leaving them out keeps law 2.
 */
import { ExecutionError, MillraceError } from "../core/errors.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import type { Log } from "../log/log.ts";
import type { ActorIdentity } from "./behaviour.ts";

export type OnError = "fail" | "skip" | "deadLetter";

export interface DeadLetter {
  readonly epoch: number;
  readonly stage: number;
  readonly partition: number;
  /** Among the letters of this actor and epoch, from 0. */
  readonly number: number;
  readonly error: string;
  readonly errorClass: string | undefined;
  readonly where: string | undefined;
  readonly row: unknown;
}

export const decodeDeadLetter = (bytes: Uint8Array): DeadLetter => unpack(bytes) as DeadLetter;

export class RowErrors {
  readonly #policy: OnError;
  readonly #identity: ActorIdentity;
  #letters: DeadLetter[] = [];
  /** Rows left out in the epoch under way. */
  skipped = 0;
  epoch = 0;

  constructor(policy: OnError, identity: ActorIdentity) {
    this.#policy = policy;
    this.#identity = identity;
  }

  begin(epoch: number): void {
    this.epoch = epoch;
    this.skipped = 0;
    this.#letters = [];
  }

  /** What operators call for a row they could not compute. */
  handle(error: unknown, row: () => unknown): void {
    if (this.#policy === "fail") throw error;
    // Only errors of the row itself: a broker that is away or a damaged store is nobody's row.
    if (error instanceof MillraceError && !(error instanceof ExecutionError)) throw error;
    this.skipped++;
    if (this.#policy === "skip") return;
    const known = error instanceof MillraceError ? error : undefined;
    this.#letters.push({
      epoch: this.epoch,
      stage: this.#identity.stage,
      partition: this.#identity.partition,
      number: this.#letters.length,
      error: error instanceof Error ? error.message : String(error),
      errorClass: known?.errorClass,
      where: known?.where,
      row: row(),
    });
  }

  take(): readonly DeadLetter[] {
    return this.#letters;
  }
}

/** Writes the letters of an epoch, in order; at least once. */
export const writeDeadLetters = async (log: Log, letters: readonly DeadLetter[]): Promise<void> => {
  for (const letter of letters) await log.append(pack(letter));
};
