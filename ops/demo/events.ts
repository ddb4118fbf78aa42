/**
 * The demo's input and the result it must give. The windows are counted here in a dozen plain lines that share nothing with the engine: that is the
 * check.
 */
export interface Event {
  readonly key: string;
  readonly amount: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const WINDOW_MS = 10_000;
const DELAY_MS = 2_000;
const START_MS = Date.parse("2024-05-01T12:00:00Z");

/** A small generator with a seed: the same events in every run. */
const generator = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

/** Events of `keys` keys, 100 a second of event time, out of order by less than the watermark's delay. */
export const makeEvents = (count: number, keys: number, seed = 7): Event[] => {
  const random = generator(seed);
  return Array.from({ length: count }, (_, i) => ({
    key: `k${Math.floor(random() * keys)}`,
    amount: Math.floor(random() * 1_000),
    at: START_MS + i * 10 - Math.floor(random() * (DELAY_MS - 100)),
  }));
};

/** An event late enough in event time to close every window of the others. */
export const lastEvent = (events: readonly Event[]): Event => ({
  key: "end",
  amount: 0,
  at: Math.max(...events.map((e) => e.at)) + WINDOW_MS + DELAY_MS + 60_000,
});

export interface WindowRow {
  readonly start: string;
  readonly key: string;
  readonly n: number;
  readonly total: number;
}

/** Window and key of a row: it must appear once. */
export const idOf = (r: WindowRow): string => `${r.start} ${r.key}`;

/** What the query must write: every closed window of every key, once. */
export const expectedWindows = (events: readonly Event[]): ReadonlyMap<string, WindowRow> => {
  const windows = new Map<string, WindowRow>();
  for (const { key, amount, at } of events) {
    const start = new Date(Math.floor(at / WINDOW_MS) * WINDOW_MS).toISOString();
    const id = `${start} ${key}`;
    const { n, total } = windows.get(id) ?? { n: 0, total: 0 };
    windows.set(id, { start, key, n: n + 1, total: total + amount });
  }
  return windows;
};

export interface Verdict {
  readonly checked: number;
  /** Windows that are missing, or have other values. */
  readonly lost: number;
  /** Rows beyond the first of a window, and rows of windows that do not exist. */
  readonly doubled: number;
}

export const compare = (expected: ReadonlyMap<string, WindowRow>, rows: readonly WindowRow[]): Verdict => {
  const seen = new Map<string, WindowRow>();
  let doubled = 0;
  for (const row of rows) {
    if (seen.has(idOf(row)) || !expected.has(idOf(row))) doubled++;
    else seen.set(idOf(row), row);
  }
  let lost = 0;
  for (const [id, { n, total }] of expected) {
    const row = seen.get(id);
    if (row === undefined || row.n !== n || row.total !== total) lost++;
  }
  return { checked: expected.size, lost, doubled };
};

/** The first windows as a table, a column per key. */
export const tableOf = (rows: readonly WindowRow[], windows: number, keys: number): string => {
  const names = [...new Set(rows.map((r) => r.key))].sort().slice(0, keys);
  const starts = [...new Set(rows.map((r) => r.start))].sort().slice(0, windows);
  const cell = (start: string, key: string): string => {
    const row = rows.find((r) => r.start === start && r.key === key);
    return row === undefined ? "" : `${row.n} / ${row.total}`;
  };
  const lines = [
    ["window", ...names],
    ...starts.map((s) => [s.slice(11, 19), ...names.map((k) => cell(s, k))]),
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((l) => l[i]!.length)));
  return lines
    .map((l) =>
      l
        .map((c, i) => c.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

/** The line that ends a demo; true when nothing is lost or doubled and something was checked. */
export const announce = (v: Verdict, how: string): boolean => {
  console.log(`exactly once: ${v.checked} windows checked, ${v.lost} lost, ${v.doubled} doubled (${how})`);
  return v.checked > 0 && v.lost === 0 && v.doubled === 0;
};
