/**
 * Room in a stream of the user's that discards new messages at its `max_bytes`. Servers before 2.10.5 take what does not fit and drop the oldest messages for it
 * (`src/log/space-guard.ts`): there a sink waits below the limit, as others wait for the server's refusal.
 *
 * Invariants.
 *  R1 a message is sent only when it has room. R2 Without a limit, with `discard: old`, and on servers that refuse rightly, nothing is asked and nothing waits.
 */
import { type Clock, sleep } from "../core/clock.ts";
import { ConfigurationError, FencedError } from "../core/errors.ts";
import type { NatsAccess, NatsStream } from "../log/nats-access.ts";
import { SpaceGuard } from "../log/space-guard.ts";
import { atLeast } from "./nats-target.ts";

const RETRY_MS = 50;
const RETRY_MAX_MS = 2_000;
/** So many looks without room are worth a line in the log. */
const LOOKS_TOLD = 10;

export interface RoomTarget {
  readonly access: NatsAccess;
  readonly stream: NatsStream;
  /** Writers of the sink beside each other. */
  readonly writers: number;
  readonly clock: Clock;
  readonly alive: () => boolean;
  readonly warn?: ((message: string) => void) | undefined;
}

export class StreamRoom {
  readonly #target: RoomTarget;
  readonly #guard: SpaceGuard;

  private constructor(target: RoomTarget) {
    this.#target = target;
    this.#guard = new SpaceGuard(target.stream, () => this.#look(), target.writers);
  }

  /** Undefined where the server itself refuses what does not fit (R2). */
  static of(target: RoomTarget): StreamRoom | undefined {
    const { stream, access } = target;
    const guarded = stream.maxBytes >= 0 && stream.discardsNew && !atLeast(access.serverVersion, [2, 10, 5]);
    return guarded ? new StreamRoom(target) : undefined;
  }

  async #look(): Promise<NatsStream> {
    const { access, stream } = this.#target;
    const seen = await access.stream(stream.name);
    if (seen === undefined)
      throw new ConfigurationError(`stream ${stream.name}, which the nats sink writes, is gone`);
    return seen;
  }

  /**
   * Takes room for as many messages from `first` to `end` (exclusive) as are sure to have it, at least one, and waits for that. `size`: bytes of one with its
   * subject and headers. Gives the end of what may be sent.
   */
  async take(first: number, end: number, size: (i: number) => number): Promise<number> {
    for (let looks = 0; this.#guard.admits(size(first)) !== true; looks++) {
      if (await this.#guard.ask(size(first))) break;
      const { clock, alive, stream, warn } = this.#target;
      if (!alive()) throw new FencedError("the nats sink's lease is gone");
      if (looks % LOOKS_TOLD === 0)
        warn?.(
          `stream ${stream.name} is full up to its max_bytes of ${this.#guard.maxBytes}: the sink waits for room`,
        );
      await sleep(clock, Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(looks, 10)));
    }
    let next = first + 1;
    while (next < end && this.#guard.admits(size(next)) === true) next++;
    return next;
  }
}
