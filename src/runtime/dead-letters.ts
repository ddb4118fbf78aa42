/**
 * Rows that an operator could not compute (`onError`): the query fails, or the row is left out and counted, or it goes to the query's dead-letter log as
 * well, before the epoch commits. Which rows fail is a function of the rows, so leaving them out keeps law 2.
 *
 * Each letter carries (epoch, stage, partition, number). An actor that starts again looks which of its letters are there before it writes, so a crash
 * doubles none; a zombie may (law 11), and a reader tells doubles by those four.
 */
import { type Field, struct } from "../core/data-type.ts";
import { ExecutionError, MillraceError, UnsafeIntegerError } from "../core/errors.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import { position } from "../core/brands.ts";
import { EPOCH_DEPTH, ROW_TEXT_CHARS_MAX } from "../core/limits.ts";
import { plainJson } from "../core/plain-json.ts";
import { rowText } from "../core/row-text.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { toUserValue } from "../expr/user-values.ts";
import type { Log } from "../log/log.ts";
import type { ActorEnvironment, ActorIdentity } from "./behaviour.ts";

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
  /** The operator's input row as JSON, an object by column; a list of values where the columns are not known. */
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
  handle(error: unknown, row: () => unknown, schema?: Schema): void {
    if (this.#policy === "fail") {
      if (error instanceof ExecutionError && error.row === undefined)
        error.row = rowText(row(), ROW_TEXT_CHARS_MAX);
      throw error;
    }
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
      row: letterRow(row(), schema),
    });
  }

  take(): readonly DeadLetter[] {
    return this.#letters;
  }
}

/** What keyed state was called for without rows is a key: it does not have the input's columns. */
const letterRow = (row: unknown, schema: Schema | undefined): unknown => {
  const fits = schema !== undefined && Array.isArray(row) && row.length === schema.fields.length;
  if (!fits) return plainJson(row);
  // As bigint a long of any size has its digits.
  const exact = (f: Field): Field =>
    f.type.kind === "long" ? { ...f, type: { kind: "long", bigint: true } } : f;
  try {
    return plainJson(toUserValue(row as Row, struct(schema.fields.map(exact))));
  } catch (e) {
    // A long in a struct or an array that no number holds.
    if (e instanceof UnsafeIntegerError) return plainJson(row);
    throw e;
  }
};

/** Writes one actor's letters, epoch by epoch. */
export class DeadLetterWriter {
  readonly #env: Pick<ActorEnvironment, "store" | "names" | "identity" | "follower">;
  #log: Log | undefined;
  /** "epoch/number" of letters that an earlier start of this actor wrote. */
  #there: ReadonlySet<string> = new Set();

  constructor(env: Pick<ActorEnvironment, "store" | "names" | "identity" | "follower">) {
    this.#env = env;
  }

  async write(letters: readonly DeadLetter[]): Promise<void> {
    const epoch = letters[0]?.epoch ?? 0;
    // A committed epoch's letters are there: an actor commits after it wrote them.
    if (epoch <= this.#env.follower.committed) return;
    if (this.#log === undefined) {
      const log = await this.#env.store.open(this.#env.names.deadLetters);
      this.#there = await this.#written(log, epoch);
      this.#log = log;
    }
    for (const letter of letters)
      if (!this.#there.has(`${letter.epoch}/${letter.number}`)) await this.#log.append(pack(letter));
  }

  /** Own letters from `epoch` on, found from the end of the log: those of an epoch lie behind all of the epochs that had to commit before it was planned. */
  async #written(log: Log, epoch: number): Promise<ReadonlySet<string>> {
    const there = new Set<string>();
    const { first, last } = await log.bounds();
    const { stage, partition } = this.#env.identity;
    for (let at = Number(last); at >= first; at--) {
      const record = await log.get(position(at));
      if (record === undefined) break;
      const letter = decodeDeadLetter(record.payload);
      if (letter.epoch <= epoch - EPOCH_DEPTH) break;
      if (letter.stage === stage && letter.partition === partition)
        there.add(`${letter.epoch}/${letter.number}`);
    }
    return there;
  }
}
