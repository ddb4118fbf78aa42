/** Results of several engines beside each other. */
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
}

const isOurs = (peer: string): boolean => peer.startsWith("millrace");

/** Rows out of `count` differ by what an engine merges; rows of the others must not. */
const MERGED: ReadonlySet<string> = new Set(["count"]);

const spread = (xs: readonly number[]): string =>
  xs.length < 2 ? "" : `${Math.min(...xs)}-${Math.max(...xs)}`;

/**
 * A Markdown table, a row for each query and engine with medians; `ours / it` is the throughput of the faster one of ours over this engine's, `ours, per CPU`
 * the same for events per CPU second of our single process. Rows out that differ from ours are marked.
 */
export const comparison = (results: readonly PeerResult[]): string => {
  const rows: ReportRow[] = [];
  for (const query of new Set(results.map((r) => r.query))) {
    const of = results.filter((r) => r.query === query);
    const engines = [...new Set(of.map((r) => r.peer))].map((peer) => {
      const runs = of.filter((r) => r.peer === peer);
      return {
        peer,
        runs,
        rate: median(runs.map((r) => r.eventsPerSecond)),
        cpu: median(runs.map((r) => r.cpuSeconds)),
        rowsOut: runs[0]!.rowsOut,
      };
    });
    const ours = engines.filter((e) => isOurs(e.peer)).sort((a, b) => b.rate - a.rate)[0];
    const single = engines.find((e) => e.peer === "millrace");
    for (const { peer, runs, rate, cpu, rowsOut } of engines) {
      const other = !isOurs(peer);
      const differs = other && !MERGED.has(query) && ours !== undefined && rowsOut !== ours.rowsOut;
      rows.push({
        query,
        engine: `${peer} ${runs[0]!.version}`,
        runs: runs.length,
        "events/s": rate,
        spread: spread(runs.map((r) => r.eventsPerSecond)),
        "CPU s": cpu,
        "peak MB": median(runs.map((r) => r.peakRssMb)),
        "rows out": `${rowsOut ?? "?"}${differs ? " (differs)" : ""}`,
        "ours / it": other && ours !== undefined ? Number((ours.rate / rate).toFixed(2)) : null,
        "ours, per CPU": other && single !== undefined ? Number((cpu / single.cpu).toFixed(2)) : null,
      });
    }
  }
  return markdownTable(rows);
};
