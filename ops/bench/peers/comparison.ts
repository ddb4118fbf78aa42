/** Results of several engines beside each other. */
import { NEXMARK_QUERY_NAMES, nexmarkQuery } from "../../../src/bench/nexmark/queries.ts";
import { markdownTable, median, type ReportRow } from "../../../src/bench/report.ts";

/** A line that run.sh prints. */
export interface PeerResult {
  readonly peer: string;
  readonly version: string;
  readonly query: string;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  readonly rowsOut: number | null;
  /** What was set; `rewritten` says how the query differs in text (not in rows) from ours. */
  readonly config?: { readonly rewritten?: string };
}

/** Why a run gave no result, by "peer query". */
export type Failures = Readonly<Record<string, string>>;

export const pairOf = (peer: string, query: string): string => `${peer} ${query}`;

/** One engine's runs of one query, beside ours. */
interface Beside {
  readonly peer: string;
  readonly query: string;
  readonly runs: readonly PeerResult[];
  /** Medians: events a second, CPU seconds. */
  readonly rate: number;
  readonly cpu: number;
  /** Of ours over this engine's, null for our own and where ours has no result. */
  readonly ratio: number | null;
  readonly perCpu: number | null;
  readonly differs: boolean;
}

const isOurs = (peer: string): boolean => peer.startsWith("millrace");

/** Rows out of a query in update mode differ by what an engine merges; rows of the others must not. */
const merges = (query: string): boolean =>
  NEXMARK_QUERY_NAMES.includes(query) && nexmarkQuery(query, 100).mode === "update";

const spread = (xs: readonly number[]): string =>
  xs.length < 2 ? "" : `${Math.min(...xs)}-${Math.max(...xs)}`;

const rounded = (x: number): number => Number(x.toFixed(2));

const besideEachOther = (query: string, of: readonly PeerResult[]): readonly Beside[] => {
  const engines = [...new Set(of.map((r) => r.peer))].map((peer) => {
    const runs = of.filter((r) => r.peer === peer);
    const rate = median(runs.map((r) => r.eventsPerSecond));
    return { peer, query, runs, rate, cpu: median(runs.map((r) => r.cpuSeconds)) };
  });
  const ours = engines.filter((e) => isOurs(e.peer)).sort((a, b) => b.rate - a.rate)[0];
  const single = engines.find((e) => e.peer === "millrace");
  return engines.map((e) => {
    const other = !isOurs(e.peer);
    const differs = ours !== undefined && e.runs[0]!.rowsOut !== ours.runs[0]!.rowsOut;
    return {
      ...e,
      ratio: other && ours !== undefined ? rounded(ours.rate / e.rate) : null,
      perCpu: other && single !== undefined ? rounded(e.cpu / single.cpu) : null,
      differs: other && differs && !merges(query),
    };
  });
};

const rowOf = ({ peer, query, runs, rate, cpu, ratio, perCpu, differs }: Beside): ReportRow => ({
  query,
  engine: `${peer} ${runs[0]!.version}`,
  runs: runs.length,
  "events/s": rate,
  spread: spread(runs.map((r) => r.eventsPerSecond)),
  "CPU s": cpu,
  "peak MB": median(runs.map((r) => r.peakRssMb)),
  "rows out": `${runs[0]!.rowsOut ?? "?"}${differs ? " (differs)" : ""}`,
  "ours / it": ratio,
  "ours, per CPU": perCpu,
  note: runs[0]!.config?.rewritten || null,
});

const allOf = (results: readonly PeerResult[]): readonly Beside[] =>
  [...new Set(results.map((r) => r.query))].flatMap((query) =>
    besideEachOther(
      query,
      results.filter((r) => r.query === query),
    ),
  );

/**
 * A Markdown table, a row for each query and engine with medians; `ours / it` is the throughput of the faster one of ours over this engine's, `ours, per CPU`
 * the same for events per CPU second of our single process. Rows out that differ from ours are marked; a run that failed has a row with its reason.
 */
export const comparison = (results: readonly PeerResult[], failures: Failures = {}): string => {
  const failed = Object.entries(failures).map(([pair, reason]): ReportRow => {
    const [peer = "", query = ""] = pair.split(" ");
    return { query, engine: peer, note: `does not run it: ${reason}` };
  });
  const rows = allOf(results).map(rowOf);
  const queries = [...new Set([...rows, ...failed].map((r) => r["query"]))];
  return markdownTable(queries.flatMap((q) => [...rows, ...failed].filter((r) => r["query"] === q)));
};

const counted = (found: readonly Beside[], of: (b: Beside) => number | null): string => {
  const slower = found.filter((b) => (of(b) ?? 0) <= 1);
  const not = slower.length === 0 ? "" : ` (not ${slower.map((b) => `${b.query}: ${of(b)}`).join(", ")})`;
  return `${found.length - slower.length} of ${found.length} queries${not}`;
};

/** A line for each other engine: on how many of the queries that both ran ours is faster. */
export const summary = (results: readonly PeerResult[]): readonly string[] => {
  const beside = allOf(results).filter((b) => b.ratio !== null);
  return [...new Set(beside.map((b) => b.peer))].map((peer) => {
    const found = beside.filter((b) => b.peer === peer);
    const perCpu = found.filter((b) => b.perCpu !== null);
    const cpu = perCpu.length === 0 ? "" : `, per CPU second on ${counted(perCpu, (b) => b.perCpu)}`;
    return `ours is faster than ${peer} on ${counted(found, (b) => b.ratio)}${cpu}`;
  });
};
