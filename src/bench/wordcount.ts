/** Word count: lines of text, split and counted in update mode. The result is compared with a count by a plain loop. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { field, STRING } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import { parseQuery } from "../sql/parser.ts";
import { inChild } from "./child.ts";
import type { Measured } from "./measure.ts";
import { JavaRandom } from "./nexmark/random.ts";
import { resultHash } from "./nexmark/result.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { BLACKHOLE, runQuery, streamCatalog, withDirectory } from "./query-run.ts";
import { printReport } from "./report.ts";

export const WORDCOUNT_FLAGS: Flags = {
  lines: "lines of ten words (default 200000)",
  partitions: "partitions of the count (default 2)",
};

const WORDS_PER_LINE = 10;
const VOCABULARY = 20_000;
const FILES = 8;
const SQL =
  "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM lines) GROUP BY word";

interface Parameters {
  readonly lines: number;
  readonly partitions: number;
}

interface WordCount extends Measured {
  readonly words: number;
  readonly rows: number;
  readonly hash: string;
  readonly correct: boolean;
}

/** A skewed choice: low ids come often. */
const wordOf = (random: JavaRandom): string => `w${Math.floor(VOCABULARY * random.double() ** 3)}`;

const writeLines = (directory: string, lines: number): ReadonlyMap<string, number> => {
  const random = new JavaRandom().seed(7);
  const counts = new Map<string, number>();
  for (let f = 0; f < FILES; f++) {
    let text = "";
    for (let i = f; i < lines; i += FILES) {
      const words = Array.from({ length: WORDS_PER_LINE }, () => wordOf(random));
      for (const w of words) counts.set(w, (counts.get(w) ?? 0) + 1);
      text += `${words.join(" ")}\n`;
    }
    writeFileSync(join(directory, `part-${f}.txt`), text);
  }
  return counts;
};

export const measureWordCount = (p: Parameters): Promise<WordCount> =>
  withDirectory(async (path) => {
    const expected = writeLines(path, p.lines);
    const source = {
      format: "text",
      options: { path, maxFilesPerTrigger: "1" },
      schema: schemaOf([field("value", STRING)]),
      pushed: [],
    };
    const query = {
      name: "wordcount",
      relation: parseQuery(SQL),
      catalog: streamCatalog("lines", source),
      mode: "update",
      partitions: p.partitions,
      durable: true,
    } as const;
    const { rows: _, epochs: __, ...measured } = await runQuery({ ...query, sink: BLACKHOLE });
    const result = resultHash((await runQuery(query)).rows, [0]);
    const correct = result.hash === resultHash([...expected]).hash;
    return { words: p.lines * WORDS_PER_LINE, ...measured, ...result, correct };
  });

export const wordcount = async (o: BenchOptions): Promise<number> => {
  const parameters = { lines: positive(o, "lines", 200_000), partitions: positive(o, "partitions", 2) };
  const got = await inChild<WordCount>("wordcount", parameters);
  const row = { wordsPerSecond: Math.round(got.words / got.seconds), ...got };
  printReport({ bench: "wordcount", settings: parameters, rows: [row] }, o.json, o.print);
  return got.correct ? 0 : 1;
};
