/**
 * A query's result as golden/nexmark.json has it: rows joined by `|` (nulls `\N`, times epoch milliseconds, decimals unscaled), sorted bytewise, a
 * newline after each; the hash is the first 16 hex digits of the SHA-256.
 */
import { createHash } from "node:crypto";
import type { Row, Value } from "../../core/value.ts";

export interface ResultHash {
  readonly rows: number;
  readonly hash: string;
}

const text = (v: Value): string => {
  if (v === null) return "\\N";
  if (typeof v === "object") throw new Error("a result column of the benchmark must be flat");
  return String(v);
};

/** A row as the texts of its columns. */
export const rowTexts = (row: Row): readonly string[] => row.map(text);

/**
 * Hash of the rows that a stream wrote, in the order it wrote them. `key`: positions of the columns that name a row; of rows with the same key the last one
 * is the result. Without it every row is.
 */
export const resultHash = (rows: Iterable<Row>, key?: readonly number[]): ResultHash => {
  const lines: string[] = [];
  const last = new Map<string, string>();
  for (const row of rows) {
    const line = rowTexts(row).join("|");
    if (key === undefined) lines.push(line);
    else last.set(JSON.stringify(key.map((i) => text(row[i]!))), line);
  }
  const all = (key === undefined ? lines : [...last.values()]).map((l) => Buffer.from(`${l}\n`));
  all.sort(Buffer.compare);
  const digest = createHash("sha256");
  for (const line of all) digest.update(line);
  return { rows: all.length, hash: digest.digest("hex").slice(0, 16) };
};
