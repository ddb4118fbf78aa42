/** A history of results: one line of JSON for each query and run, appended and never rewritten. */
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Report, ReportRow } from "./report.ts";

export interface HistoryEntry {
  /** Abbreviated; "-dirty" behind it when the checkout had changes; "unknown" outside of one. */
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  readonly machine: string;
  /** What two entries must have in common to be comparable. */
  readonly settings: string;
  readonly query: string;
  readonly eventsPerSecond: number;
  readonly ratio: number | null;
  readonly cpuRatio: number | null;
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  readonly hash: string | null;
}

const git = (...args: readonly string[]): string | undefined => {
  try {
    return execFileSync("git", [...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
};

const commit = (): string => {
  const head = git("rev-parse", "--short=9", "HEAD");
  if (head === undefined) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no", "--", "src", "actors") === ""
    ? head
    : `${head}-dirty`;
};

const GIGABYTE = 2 ** 30;

const machine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / GIGABYTE)} GiB, node ${process.version}`;

const entry = (settings: string, row: ReportRow): Omit<HistoryEntry, "commit" | "date" | "machine"> => ({
  settings,
  query: String(row["query"]),
  eventsPerSecond: Number(row["eventsPerSecond"]),
  ratio: (row["ratio"] ?? null) as number | null,
  cpuRatio: (row["cpuRatio"] ?? null) as number | null,
  cpuSeconds: Number(row["cpuSeconds"]),
  peakRssMb: Number(row["peakRssMb"]),
  hash: (row["hash"] ?? null) as string | null,
});

/** Appends the rows of a Nexmark report to `file`. */
export const appendHistory = (file: string, report: Report): void => {
  const { data, source, sink, workers, partitions, durable } = report.settings as Record<string, unknown>;
  const { events, group } = data as { readonly events: number; readonly group: number };
  const settings = [
    `${events} events`,
    ...(group === 1 ? [] : ["out of order"]),
    `${String(source)} to ${String(sink)}`,
    `${String(workers)} x ${String(partitions)}`,
    ...(durable === true ? [] : ["in memory"]),
  ].join(", ");
  const where = { commit: commit(), date: new Date().toISOString(), machine: machine() };
  const lines = report.rows.map((row) => `${JSON.stringify({ ...where, ...entry(settings, row) })}\n`);
  appendFileSync(file, lines.join(""));
};
