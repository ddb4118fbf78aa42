/**
 * Watches over the leader: an epoch that is not committed in time is told in the log and as metrics, with what it waits for; the nodes are asked to look
 * after the actors that keep it. Progress must never end without a line.
 *
 *  E1 Only actors whose producers have all acknowledged the epoch are named to the nodes: the others wait for these.
 *  E2 The wait is counted anew with every commit; told once it is `stallMs`, then at twice that, and so on.
 */
import type { ActorIdentity } from "../src/runtime/behaviour.ts";
import type { AckBook } from "../src/runtime/acknowledgements.ts";
import type { CoordinatorEnvironment } from "./coordinator-environment.ts";

/** Looks in one limit. */
const LOOKS = 4;
/** Actors named in a line of the log. */
const NAMED_MAX = 12;

export class EpochWatch {
  readonly #env: CoordinatorEnvironment;
  readonly #book: AckBook;
  readonly #doing: () => string | undefined;
  /** What is waited for since when (monotonic); undefined: nothing. */
  #since: number | undefined;
  #waitsFor = "";
  #tellAfterMs: number;
  #cancel: () => void = () => {};

  constructor(env: CoordinatorEnvironment, book: AckBook, doing: () => string | undefined) {
    this.#env = env;
    this.#book = book;
    this.#doing = doing;
    this.#tellAfterMs = env.stallMs;
  }

  /** Gives the end of it. */
  start(): () => void {
    const look = (): void => {
      this.#look();
      this.#cancel = this.#env.clock.after(this.#env.stallMs / LOOKS, look);
    };
    look();
    return () => {
      this.#cancel();
      this.#env.metrics.epochWaiting(this.#env.queryName, 0, []);
    };
  }

  #look(): void {
    const { clock, follower, metrics, queryName, stallMs } = this.#env;
    const entry = follower.known(follower.committed + 1);
    const doing = this.#doing();
    const what = entry === undefined ? (doing ?? "") : `epoch ${entry.epoch}`;
    if (what === "") this.#since = undefined;
    else if (what !== this.#waitsFor || this.#since === undefined) {
      this.#since = clock.monotonic();
      this.#tellAfterMs = stallMs;
    }
    this.#waitsFor = what;
    const waited = this.#since === undefined ? 0 : clock.monotonic() - this.#since;
    const missing = entry === undefined ? [] : this.#book.missing(entry);
    const late = waited >= stallMs ? missing : [];
    metrics.epochWaiting(
      queryName,
      waited / 1_000,
      late.map((a) => ({ ...a, node: this.#env.assigned(a) ?? "" })),
    );
    if (waited < this.#tellAfterMs) return;
    this.#tellAfterMs *= 2;
    this.#tell(waited, missing, entry === undefined ? undefined : entry.epoch);
  }

  #tell(waited: number, missing: readonly ActorIdentity[], epoch: number | undefined): void {
    const { queryName, warn, nudge, assigned } = this.#env;
    const named = missing
      .slice(0, NAMED_MAX)
      .map((a) => `stage ${a.stage} partition ${a.partition} on ${assigned(a) ?? "no node"}`);
    const doing = this.#doing();
    const waitsFor =
      epoch === undefined
        ? doing
        : named.length > 0
          ? `acknowledgements of ${named.join(", ")}${missing.length > NAMED_MAX ? ` and ${missing.length - NAMED_MAX} more` : ""}`
          : "the commit log";
    warn(epoch === undefined ? "the leader plans no epoch" : "an epoch is not committed in time", {
      query: queryName,
      ...(epoch === undefined ? {} : { epoch }),
      seconds: Math.round(waited / 1_000),
      waitsFor,
      missing: missing.length,
      ...(doing === undefined || epoch === undefined ? {} : { leader: doing }),
    });
    if (missing.length > 0) nudge(this.#first(missing));
  }

  /** E1. */
  #first(missing: readonly ActorIdentity[]): readonly ActorIdentity[] {
    const late = new Set(missing.map((a) => a.stage));
    return missing.filter(({ stage }) => {
      const of = this.#env.plan.stages.find((s) => s.id === stage);
      return !(of?.inputs ?? []).some((e) => late.has(e.from));
    });
  }
}
