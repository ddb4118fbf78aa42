/**
 * Both ends of the latency benchmark, cheap on purpose: they share the machine with what is measured. Rows at a fixed rate go to the wire without an object each and
 * without waiting for their acknowledgements; results are kept as they arrive and read when everything is over.
 */
import type { NatsAccess, NatsBlock, NatsPipe } from "../log/nats-access.ts";

export const [IN, OUT] = ["BENCH_LATENCY_IN", "BENCH_LATENCY_OUT"] as const;
export const [IN_SUBJECT, OUT_SUBJECT] = ["bench.latency.in", "bench.latency.out"] as const;

/** Rows go out in this rhythm, whether or not those before are acknowledged. */
const BEAT_MS = 1;
/** Brings a row to 250 bytes. */
const PADDING = "x".repeat(200);
/** Multiplied with a row's number: neighbours have other keys. */
const SPREAD = 7919;

/** Milliseconds since the epoch, with a fraction. */
export const now = (): number => performance.timeOrigin + performance.now();

export interface Load {
  readonly rate: number;
  readonly keys: number;
  /** A message has what is due, at most so many rows, a line each. */
  readonly rowsPerMessage: number;
}

/** What was sent; of a traced run also when: row number and time of each beat. */
export interface Sent {
  readonly startMs: number;
  readonly rows: number;
  readonly beats: readonly (readonly [number, number])[];
}

/** The rows [from, to) as messages in one memory. */
const offer = (
  pipe: NatsPipe,
  { rate, keys, rowsPerMessage }: Load,
  startMs: number,
  from: number,
  to: number,
) => {
  const count = Math.ceil((to - from) / rowsPerMessage);
  const ends = new Int32Array(count + 1);
  let text = "";
  for (let i = from; i < to; i++) {
    const begins = (i - from) % rowsPerMessage === 0;
    if (begins && i > from) ends[(i - from) / rowsPerMessage] = text.length;
    const at = startMs + (i / rate) * 1000;
    text += `${begins ? "" : "\n"}{"k":"k${(i * SPREAD) % keys}","at":${at},"x":"${PADDING}"}`;
  }
  ends[count] = text.length;
  return pipe.offer({ bytes: Buffer.from(text, "latin1"), ends, first: 0, end: count, label: "", row: 0 });
};

/**
 * Publishes `rate` rows a second until `signal` aborts, each message once, and waits until all are stored. A row's time is when it was due, not when it was sent: a
 * generator that is held up does not hide the wait.
 */
export const generate = async (
  nats: NatsAccess,
  load: Load,
  signal: AbortSignal,
  traced = false,
): Promise<Sent> => {
  const pipe = nats.pipe({ subject: IN_SUBJECT });
  const startMs = now();
  const beats: [number, number][] = [];
  let rows = 0;
  let failure: unknown;
  while (!signal.aborted && failure === undefined) {
    const due = Math.floor(((now() - startMs) / 1000) * load.rate);
    if (due > rows) {
      // What the window does not take waits in the pipe: the rhythm goes on.
      offer(pipe, load, startMs, rows, due)?.catch((e: unknown) => (failure = e));
      rows = due;
      if (traced) beats.push([rows, now()]);
    }
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
  await pipe.delivered();
  pipe.close();
  return { startMs, rows, beats };
};

export interface Result {
  readonly k: string;
  readonly n: number;
  readonly at: number;
}

/** Results that arrived together. */
export interface Arrival {
  readonly block: NatsBlock;
  readonly atMs: number;
}

/** Tells of all that arrives until `signal` aborts. */
export const collect = async (
  nats: NatsAccess,
  signal: AbortSignal,
  arrived: (arrival: Arrival) => void,
  stream: string = OUT,
): Promise<void> => {
  const reader = nats.blocks(stream, { from: 1 });
  signal.addEventListener("abort", () => reader.close());
  for (let blocks = await reader.next(); blocks.length > 0; blocks = await reader.next()) {
    const atMs = now();
    for (const block of blocks) arrived({ block, atMs });
  }
};

/** The results of an arrival, with their messages' numbers in the block. */
export const resultsOf = function* ({ block }: Arrival): Generator<readonly [Result, number]> {
  for (let i = 0; i < block.length; i++) {
    const lines = Buffer.from(block.bytes.subarray(block.from(i), block.to(i)))
      .toString()
      .split("\n");
    for (const line of lines) if (line !== "") yield [JSON.parse(line) as Result, i];
  }
};

/** How long the last rows are waited for. */
const DRAIN_MS = 20_000;
const DRAIN_POLL_MS = 20;

const total = (counts: ReadonlyMap<string, number>): number => {
  let sum = 0;
  for (const n of counts.values()) sum += n;
  return sum;
};

/** Every row of the input must be counted once; `read` brings the counts up to date. */
export const counted = async (
  counts: ReadonlyMap<string, number>,
  rows: number,
  read: () => void = () => {},
): Promise<boolean> => {
  const until = now() + DRAIN_MS;
  for (read(); total(counts) !== rows && now() < until; read())
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  return total(counts) === rows;
};
