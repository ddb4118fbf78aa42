/** Results as they are printed: JSON, or a Markdown table. */

/** One row of a report; all rows of a table have the same columns. */
export type ReportRow = Readonly<Record<string, string | number | boolean | null>>;

export interface Report {
  /** Name of the benchmark. */
  readonly bench: string;
  /** What was fixed for all rows. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly rows: readonly ReportRow[];
}

export const median = (xs: readonly number[]): number => {
  const sorted = [...xs].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
};

const cell = (v: string | number | boolean | null | undefined): string =>
  v === null || v === undefined ? "" : typeof v === "number" ? v.toLocaleString("en-US") : String(v);

export const markdownTable = (rows: readonly ReportRow[]): string => {
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r)))];
  const lines = [columns, columns.map(() => "---"), ...rows.map((r) => columns.map((c) => cell(r[c])))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
};

export const printReport = (report: Report, json: boolean, print: (text: string) => void): void => {
  if (json) print(JSON.stringify(report));
  else print(`## ${report.bench}\n\n${JSON.stringify(report.settings)}\n\n${markdownTable(report.rows)}\n`);
};
