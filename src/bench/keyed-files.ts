/** Files of keyed rows for the benchmarks of state, and the count over them. */
import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { field, LONG } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import type { StartRequest } from "../query/runtime.ts";
import { parseQuery } from "../sql/parser.ts";
import { BLACKHOLE, streamCatalog } from "./query-run.ts";

/** Spreads consecutive numbers over the key space: neighbours in a file are not neighbours in a table. */
const MIX = 2_654_435_761;

/** Written at a time: what is measured shares its memory with this. */
const ROWS_AT_ONCE = 1_000;

/** Writes one file with a row for each of the keys [from, to). It appears whole. */
export const writeKeys = (directory: string, name: string, from: number, to: number): void =>
  writeRows(directory, name, to - from, (i) => from + i);

/** The same for the keys `keyOf(0)`, … `keyOf(rows - 1)`. */
export const writeRows = (
  directory: string,
  name: string,
  rows: number,
  keyOf: (i: number) => number,
): void => {
  const hidden = join(directory, `.${name}`);
  const file = openSync(hidden, "w");
  for (let i = 0; i < rows;) {
    let text = "";
    for (let n = 0; n < ROWS_AT_ONCE && i < rows; n++, i++) {
      const key = keyOf(i);
      text += `{"k":${(key * MIX) % 2 ** 40},"v":${key % 1000}}\n`;
    }
    writeSync(file, text);
  }
  closeSync(file);
  renameSync(hidden, join(directory, name));
};

/** Count and sum per key in update mode, one file an epoch, to the end of the files there are. */
export const keyedCount = (directory: string, partitions: number): StartRequest => ({
  name: "keyed",
  relation: parseQuery("SELECT k, count(*) AS n, sum(v) AS s FROM rows GROUP BY k"),
  catalog: streamCatalog("rows", {
    format: "ndjson",
    options: { path: directory, maxFilesPerTrigger: "1" },
    schema: schemaOf([field("k", LONG), field("v", LONG)]),
    pushed: [],
  }),
  outputMode: "update",
  trigger: { kind: "availableNow" },
  sink: BLACKHOLE,
  partitions,
});
