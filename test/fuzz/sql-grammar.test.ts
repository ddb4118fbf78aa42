/**
 * Our parser's yes and no against the Spark grammar of dt-sql-parser, over a corpus and over its mutations. A difference is allowed only for
 * a reason listed here; the counts are printed.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mock, test } from "node:test";
import type { SparkSQL as SparkGrammar } from "dt-sql-parser";
import { ParseError } from "../../src/core/errors.ts";
import { parseScript } from "../../src/sql/statement-parser.ts";
import { ACCEPTED, KEYWORD_NAMES, REFUSED, SPARK_4 } from "./sql-corpus.ts";

/** Seed of the mutations: `SQL_FUZZ_SEED=7 SQL_FUZZ_COUNT=5000` for more. */
const SEED = Number(process.env["SQL_FUZZ_SEED"] ?? 20261121);
const COUNT = Number(process.env["SQL_FUZZ_COUNT"] ?? 400);

// its ES modules name directories, which only require resolves
const { SparkSQL } = createRequire(import.meta.url)("dt-sql-parser") as { SparkSQL: typeof SparkGrammar };
const grammar = new SparkSQL();
// it reports to the console too
mock.method(console, "error", () => undefined);

interface Refusal {
  readonly message: string;
  readonly errorClass: string;
  /** Offset in a text of one line. */
  readonly offset: number;
}

const ours = (text: string): Refusal | undefined => {
  try {
    parseScript(text);
    return undefined;
  } catch (e) {
    if (!(e instanceof ParseError)) throw e;
    return { message: e.message, errorClass: e.errorClass!, offset: e.position!.column - 1 };
  }
};

const theirs = (text: string): Refusal | undefined => {
  const [first] = grammar.validate(text);
  return first && { message: first.message, errorClass: "", offset: first.startColumn - 1 };
};

/** Why theirs accepts what ours refuses. */
const stricter = (text: string, refusal: Refusal): string | undefined => {
  if (refusal.errorClass !== "PARSE_SYNTAX_ERROR") return "Spark refuses it after the grammar";
  if (/\bAS\s*(,|\)|;|$|FROM\b)/i.test(text)) return "theirs lets an alias be missing, for completion";
  if (
    /\b(CAST|TRY_CAST|TRIM|OVERLAY|POSITION|SUBSTRING|SUBSTR|EXTRACT)\s*\(/i.test(
      text.slice(0, refusal.offset),
    ) &&
    /'\)'|AS|FROM/.test(refusal.message)
  )
    return "theirs takes a form with keywords for an ordinary call";
  const rest = text.slice(refusal.offset);
  if (rest !== "" && theirs(rest) === undefined && theirs(text.slice(0, refusal.offset)) === undefined)
    return "two statements without a semicolon";
  return around(text, refusal.offset, 2, 1) ? "a keyword in the place of a name" : undefined;
};

/** Why ours accepts what theirs refuses. */
const laxer = (text: string, refusal: Refusal): string | undefined => {
  if (SPARK_4_SYNTAX.some((r) => r.test(text))) return "Spark 4";
  if (/\bmap\s*\(/i.test(text)) return "theirs takes map( for the Hive clause MAP";
  return around(text, refusal.offset, 3, 2) ? "a keyword as a name, which Spark allows" : undefined;
};

/** Whether a keyword is among the `before` words in front of `offset` and the `after` words behind. */
const around = (text: string, offset: number, before: number, after: number): boolean => {
  const words = (part: string): string[] => part.toUpperCase().match(/\w+/g) ?? [];
  const near = [...words(text.slice(0, offset)).slice(-before), ...words(text.slice(offset)).slice(0, after)];
  return near.some((w) => KEYWORDS.has(w));
};

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "ALL AND ANTI ANY AS ASC BETWEEN BOTH BY CASE CAST COLUMN CROSS CUBE CURRENT DESC DISTINCT DISTRIBUTE DIV DROP ELSE END ESCAPE EXCEPT EXISTS EXPLAIN " +
    "EXTRACT FALSE FILTER FIRST FOLLOWING FOR FROM FULL GROUP GROUPING HAVING IF IGNORE IN INCLUDE INNER INSERT INTERSECT INTERVAL INTO IS JOIN LAST LATERAL " +
    "LEADING LEFT LIKE ILIKE RLIKE LIMIT NATURAL NOT NULL NULLS OF OFFSET ON OPTIONS OR ORDER OUTER OVER OVERLAY OVERWRITE PARTITION PERCENT PIVOT PLACING " +
    "POSITION PRECEDING QUERY RANGE REPEATABLE REPLACE RIGHT ROLLUP ROW ROWS SELECT SEMI SET SETS SHOW SORT STRUCT SUBSTR SUBSTRING TABLE TABLES TABLESAMPLE " +
    "TEMPORARY THEN TO TRIM TRUE UNBOUNDED UNION UNPIVOT USING VALUES VIEW WHEN WHERE WINDOW WITH YEAR MONTH DAY HOUR MINUTE SECOND SECONDS DAYS CREATE ARRAY " +
    "DATE TIMESTAMP INT COLUMNS FUNCTIONS COMMENT TIMESTAMPADD TIMESTAMPDIFF CLUSTER DESCRIBE EXTENDED LAZY CACHE JSON"
  ).split(" "),
);
const SPARK_4_SYNTAX: readonly RegExp[] = [
  /\|>/,
  /::/,
  /\bTEMP\b/i,
  /\bWITHIN\s+GROUP\b/i,
  /\bRECURSIVE\b/i,
  /\bEXCEPT\s*\(/i,
  /\bWATERMARK\b/i,
  /<<|>>/,
];

test("both accept the common corpus, both refuse the wrong one, and ours knows Spark 4", () => {
  for (const text of ACCEPTED) assert.deepEqual([ours(text), theirs(text)], [undefined, undefined], text);
  for (const text of REFUSED) {
    assert.ok(ours(text), `ours accepts: ${text}`);
    assert.ok(theirs(text), `theirs accepts: ${text}`);
  }
  for (const text of KEYWORD_NAMES)
    assert.deepEqual([ours(text) !== undefined, theirs(text)], [true, undefined], text);
  for (const text of SPARK_4)
    assert.deepEqual([ours(text), theirs(text) !== undefined], [undefined, true], text);
});

/** Numbers below `n`, the same for the same seed. */
const generator = (seed: number): ((n: number) => number) => {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
};

const TOKEN = /r?'(?:[^'\\]|\\.)*'|"[^"]*"|`(?:[^`]|``)*`|\/\*.*?\*\/|--.*|<=>|[<>=!|:]{1,3}|[\w.]+|\S/g;

/** One token dropped, doubled, moved or exchanged for one of another statement. */
const mutate = (random: (n: number) => number, corpus: readonly string[]): string => {
  const tokens = [...corpus[random(corpus.length)]!.match(TOKEN)!];
  const other = corpus[random(corpus.length)]!.match(TOKEN)!;
  const [i, j] = [random(tokens.length), random(tokens.length)];
  switch (random(4)) {
    case 0:
      tokens.splice(i, 1);
      break;
    case 1:
      [tokens[i], tokens[j]] = [tokens[j]!, tokens[i]!];
      break;
    case 2:
      tokens.splice(i, 0, tokens[j]!);
      break;
    default:
      tokens[i] = other[random(other.length)]!;
  }
  return tokens.join(" ");
};

test("mutated statements are accepted and refused alike, but for known reasons", (t) => {
  const random = generator(SEED);
  const corpus = [...ACCEPTED, ...REFUSED];
  const counts = new Map<string, number>();
  const count = (what: string): unknown => counts.set(what, (counts.get(what) ?? 0) + 1);
  const unexplained: string[] = [];
  for (let n = 0; n < COUNT; n++) {
    const text = mutate(random, corpus);
    const [o, th] = [ours(text), theirs(text)];
    if ((o === undefined) === (th === undefined)) count(o === undefined ? "both accept" : "both refuse");
    else {
      const reason = o === undefined ? laxer(text, th!) : stricter(text, o);
      count(`${o === undefined ? "only ours accepts" : "only theirs accepts"}: ${reason ?? "UNEXPLAINED"}`);
      if (reason === undefined) unexplained.push(`${text}\n    ${(o ?? th)!.message}`);
    }
  }
  t.diagnostic(`seed ${SEED}, ${COUNT} statements`);
  for (const [what, times] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    t.diagnostic(`${String(times).padStart(6)}  ${what}`);
  assert.deepEqual(unexplained, []);
});
