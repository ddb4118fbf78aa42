/**
 * The planning side of the NATS source: which streams there are, what each holds, and ranges of sequences.
 *
 * E1 An offset is `{sequence, created}`: the next sequence to read of the stream that was created then; a stream re-created under its name is an
 *    error, never read from the middle. E2 The first planned epoch names every stream found at the start, with an empty range where
 *    nothing is new, so that after a restart no stream of the start counts as one that joined later. E3 A stream that appears later begins at
 *    its first message.
 */
import { ConfigurationError, DataLossError, LogRecreatedError } from "../core/errors.ts";
import { SOURCE_POLL_MS } from "../core/limits.ts";
import type { Clock } from "../core/clock.ts";
import type { NatsAccess, NatsStream } from "../log/nats-access.ts";
import type { NatsSourceOptions, OffsetsOption } from "./nats-options.ts";
import { proportion } from "./proportion.ts";
import type { Json, PlanLimits, SourceEnumerator, SplitRange } from "./source.ts";

/** A place in a stream. A type, not an interface: it is plan data (Json). */
export type NatsOffset = { readonly sequence: number; readonly created: string };

export const offsetOf = (json: Json): NatsOffset => json as unknown as NatsOffset;

/** With hints coming, the broker is asked all the same this often: hints get lost, streams appear. Less than the coordinator's rhythm, which would miss it else. */
const REFRESH_MS = SOURCE_POLL_MS * 9;

/** What readers of this process have got, by stream: as new as any hint, when an epoch is planned. */
export type SeenStreams = Map<
  string,
  { readonly created: string; readonly prefetch: { readonly known: number; readonly closed: boolean } }
>;

interface Split {
  readonly created: string;
  next: number;
  /** Exclusive end of what is known to be there. */
  end: number;
  /** Exclusive end of what may be planned: batch, availableNow. */
  limit: number;
  /** Whether a planned entry names it (E2). */
  planned: boolean;
}

const isPattern = (name: string): boolean => name.includes("*");

export class NatsEnumerator implements SourceEnumerator {
  readonly #options: NatsSourceOptions;
  readonly #connect: () => Promise<NatsAccess>;
  readonly #clock: Clock;
  readonly #mode: "batch" | "stream";
  readonly #seen: SeenStreams;
  readonly #splits = new Map<string, Split>();
  /** With a subject filter: the end of what matches, by stream. */
  readonly #ends = new Map<string, number>();
  #refreshed = -Infinity;
  #frozen = false;

  constructor(
    options: NatsSourceOptions,
    connect: () => Promise<NatsAccess>,
    clock: Clock,
    mode: "batch" | "stream",
    seen: SeenStreams,
  ) {
    this.#seen = seen;
    this.#options = options;
    this.#connect = connect;
    this.#clock = clock;
    this.#mode = mode;
  }

  /** Streams known. */
  get known(): number {
    return this.#splits.size;
  }

  async open(state: Readonly<Record<string, Json>> | undefined): Promise<void> {
    this.#splits.clear();
    this.#frozen = false;
    for (const [name, json] of Object.entries(state ?? {})) {
      const { sequence, created } = offsetOf(json);
      this.#splits.set(name, { created, next: sequence, end: sequence, limit: Infinity, planned: true });
    }
    const streams = await this.#found();
    if (streams.length === 0 && state === undefined) throw this.#none();
    if (state === undefined) for (const stream of streams) this.#begin(stream, this.#options.startingOffsets);
    this.#checkNames(streams);
    if (this.#mode === "batch") {
      for (const stream of streams) {
        const split = this.#splits.get(stream.name)!;
        const end = sequenceIn(this.#options.endingOffsets, stream);
        split.limit = Math.max(split.next, Math.min(end ?? Infinity, this.#endOf(stream)));
      }
      this.#frozen = true;
    }
    this.#update(streams);
  }

  #none(): ConfigurationError {
    const { streams, subject } = this.#options;
    return new ConfigurationError(
      streams.length > 0
        ? `the nats source found no stream ${streams.join(", ")}`
        : `the nats source found no stream that stores subject ${subject!}`,
      { hint: "create the stream first; names are case-sensitive" },
    );
  }

  /** A name in `startingOffsets` that is no stream is a mistake. */
  #checkNames(streams: readonly NatsStream[]): void {
    for (const option of ["startingOffsets", "endingOffsets"] as const) {
      const offsets = this.#options[option];
      if (typeof offsets === "string") continue;
      for (const name of offsets.keys())
        if (!streams.some((s) => s.name === name) && !this.#splits.has(name))
          throw new ConfigurationError(
            `option "${option}" of the nats source names stream ${name}, which it does not read`,
          );
    }
  }

  async #found(): Promise<readonly NatsStream[]> {
    const access = await this.#connect();
    const { streams, subject } = this.#options;
    const names = streams.length > 0 ? streams : await access.streamsOfSubject(subject!);
    const found = new Map<string, NatsStream>();
    for (const name of names) {
      const matching = isPattern(name)
        ? await access.streams(name)
        : [await access.stream(name)].filter((s) => s !== undefined);
      for (const stream of matching) if (!stream.name.startsWith("MR_")) found.set(stream.name, stream);
    }
    this.#refreshed = this.#clock.monotonic();
    if (subject !== undefined)
      // Other subjects' messages are no input: the end is behind the newest one that matches.
      for (const name of found.keys())
        this.#ends.set(name, ((await access.lastOfSubject(name, subject))?.sequence ?? 0) + 1);
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #endOf(stream: NatsStream): number {
    return this.#ends.get(stream.name) ?? stream.lastSequence + 1;
  }

  #begin(stream: NatsStream, offsets: OffsetsOption): void {
    const start = sequenceIn(offsets, stream) ?? stream.firstSequence;
    this.#splits.set(stream.name, {
      created: stream.created,
      next: start,
      end: start,
      limit: Infinity,
      planned: false,
    });
  }

  /** Takes over what the broker says; finds new, re-created and vanished streams and lost messages. */
  #update(streams: readonly NatsStream[]): void {
    for (const stream of streams) {
      const split = this.#splits.get(stream.name);
      if (split === undefined) {
        if (!this.#frozen) this.#begin(stream, "earliest");
        continue;
      }
      if (split.created !== stream.created) this.#recreated(stream, split);
      else if (split.next < stream.firstSequence && this.#options.failOnDataLoss)
        throw lost(stream, split.next);
    }
    for (const stream of streams) {
      const split = this.#splits.get(stream.name);
      if (split !== undefined && split.created === stream.created)
        split.end = Math.max(split.end, Math.min(split.limit, this.#endOf(stream)));
    }
    if (!this.#options.failOnDataLoss) return;
    for (const name of this.#splits.keys())
      if (!streams.some((s) => s.name === name))
        throw new DataLossError(`stream ${name}, which the query reads, is gone`, { hint: LOSS_HINT });
  }

  #recreated(stream: NatsStream, split: Split): void {
    if (this.#options.failOnDataLoss)
      throw new LogRecreatedError(
        `stream ${stream.name} was deleted and created again (${split.created}, now ${stream.created}): sequence ${split.next} means another message`,
        { hint: LOSS_HINT },
      );
    this.#begin(stream, "earliest");
  }

  available(name: string, to: Json): void {
    const { sequence, created } = offsetOf(to);
    this.#extend(name, created, sequence);
  }

  #extend(name: string, created: string, end: number): void {
    const split = this.#splits.get(name);
    if (split !== undefined && split.created === created)
      split.end = Math.max(split.end, Math.min(split.limit, end));
  }

  /** Takes over what is here. Whether every split is read in this process, so that there is nobody to ask. */
  #lookHere(): boolean {
    let all = this.#splits.size > 0;
    for (const [name, { created }] of this.#splits) {
      const seen = this.#seen.get(name);
      if (seen === undefined || seen.created !== created || seen.prefetch.closed) all = false;
      else this.#extend(name, created, seen.prefetch.known);
    }
    return all;
  }

  async #look(force: boolean): Promise<void> {
    const fresh = this.#clock.monotonic() - this.#refreshed < REFRESH_MS;
    const here = this.#lookHere();
    if (!force && fresh && (here || this.unread().length > 0)) return;
    this.#update(await this.#found());
  }

  /**
   * Hints tell of some streams and say nothing about the others: a stream that seems read to its end while others have input is looked at, or its rows
   * would count as late behind theirs (law 12).
   */
  async #lookAtIdle(): Promise<void> {
    const idle = [...this.#splits].filter(([, s]) => s.end <= s.next && s.end < s.limit);
    if (idle.length === 0 || idle.length === this.#splits.size) return;
    const access = await this.#connect();
    const { subject } = this.#options;
    await Promise.all(
      idle.map(async ([name, split]) => {
        const stream = await access.stream(name);
        // One that is gone or another by now is the next full look's to report.
        if (stream?.created !== split.created) return;
        const newest = subject === undefined ? stream : await access.lastOfSubject(name, subject);
        const last = newest === undefined ? 0 : "sequence" in newest ? newest.sequence : newest.lastSequence;
        split.end = Math.max(split.end, Math.min(split.limit, last + 1));
      }),
    );
  }

  async plan(limits: PlanLimits): Promise<readonly SplitRange[]> {
    if (this.#mode === "stream") await this.#look(false);
    if (this.#mode === "stream" && !this.#frozen) await this.#lookAtIdle();
    const splits = [...this.#splits];
    const waiting = splits.map(([, s]) => Math.max(0, s.end - s.next));
    if (waiting.every((n) => n === 0)) return [];
    const taken = limits.maxOffsets === undefined ? waiting : proportion(waiting, limits.maxOffsets);
    return splits.flatMap(([name, split], i) => {
      if (taken[i] === 0 && split.planned) return [];
      const from: NatsOffset = { sequence: split.next, created: split.created };
      split.next += taken[i]!;
      split.planned = true;
      return [{ split: name, from, to: { sequence: split.next, created: split.created } }];
    });
  }

  async freeze(): Promise<void> {
    await this.#look(true);
    this.#frozen = true;
    for (const split of this.#splits.values()) split.limit = Math.min(split.limit, split.end);
  }

  unread(): readonly string[] {
    return [...this.#splits].filter(([, s]) => s.end > s.next).map(([name]) => name);
  }

  async backlog(): Promise<number> {
    if (this.#mode === "stream") await this.#look(true);
    let waiting = 0;
    for (const split of this.#splits.values()) waiting += Math.max(0, split.end - split.next);
    return waiting;
  }

  async close(): Promise<void> {}
}

/** The sequence that an option means in a stream; undefined when it does not name the stream. */
const sequenceIn = (offsets: OffsetsOption, stream: NatsStream): number | undefined => {
  if (offsets === "earliest") return stream.firstSequence;
  if (offsets === "latest") return stream.lastSequence + 1;
  const n = offsets.get(stream.name);
  if (n === undefined) return undefined;
  return n === -1 ? stream.lastSequence + 1 : n === -2 ? stream.firstSequence : n;
};

const LOSS_HINT = 'option "failOnDataLoss" = "false" goes on with what is there';

export const lost = (stream: NatsStream, next: number): DataLossError =>
  new DataLossError(
    `stream ${stream.name} no longer holds sequences ${next} to ${stream.firstSequence - 1} (it begins at ${stream.firstSequence})`,
    { hint: LOSS_HINT },
  );
