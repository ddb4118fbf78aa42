/** Random streaming queries over two streams (a, b) and a table (c), for which a batch over the same rows gives the same result. */
import type { Random } from "./random.ts";

export interface StreamQuery {
  readonly sql: string;
  readonly mode: "append" | "update";
  /** How many leading columns are the key of a row in update mode. */
  readonly keys: number;
}

const CALLS = [
  "count(*)",
  "count(v)",
  "sum(v)",
  "min(v)",
  "max(ts)",
  "avg(v)",
  "sort_array(collect_list(v))",
  "max_by(v, ts)",
  "bool_or(v > 5)",
  "sum(v) FILTER (WHERE v % 2 = 0)",
  "min(upper(k))",
];

const calls = (r: Random): string =>
  r.many(1, 3, (i) => `${r.pick(CALLS.filter((c) => !c.startsWith("max_by")))} AS x${i}`).join(", ");

/** Filters that the row of the key `end` (v = 100) passes: Spark moves them below the watermark. */
const where = (r: Random): string =>
  r.pick([
    "",
    "",
    " WHERE v > 3",
    " WHERE v % 3 <> 0",
    " WHERE k IS NOT NULL AND v <> 8",
    " WHERE k IN ('a', 'b', 'end')",
  ]);

/** A stream with the columns k, v, ts. */
const stream = (r: Random): string =>
  r.pick([
    "a",
    "b",
    "(SELECT * FROM a UNION ALL SELECT * FROM b)",
    "(SELECT k, v + 1 AS v, ts FROM a WHERE v <> 2)",
    "(SELECT a.k, a.v * c.w AS v, a.ts FROM a JOIN c ON a.k = c.k)",
    "(SELECT a.k, coalesce(c.w, -1) AS v, a.ts FROM a LEFT JOIN c ON a.k = c.k AND c.w > 1)",
    "(SELECT k, explode(array(v, v + 10)) AS v, ts FROM b)",
  ]);

const windowOf = (r: Random): string =>
  r.pick([
    "window(ts, '10 seconds')",
    "window(ts, '20 seconds', '5 seconds')",
    "window(ts, '15 seconds', '15 seconds', '4 seconds')",
    "window(ts, '1 minute', '20 seconds')",
  ]);

const windowed = (r: Random): string =>
  `SELECT ${windowOf(r)} AS w, k, ${calls(r)} FROM ${stream(r)} AS s${where(r)} GROUP BY 1, k${r.pick(["", "", " HAVING count(*) > 1"])}`;

const ungrouped = (r: Random): string =>
  `SELECT ${windowOf(r)} AS w, ${calls(r)} FROM ${stream(r)} AS s${where(r)} GROUP BY 1`;

const sessions = (r: Random): string =>
  `SELECT session_window(ts, '${r.int(3, 15)} seconds') AS w, k, ${calls(r)} FROM ${stream(r)} AS s${where(r)} GROUP BY 1, k`;

const RANGES = [
  "b.ts BETWEEN a.ts AND a.ts + INTERVAL 20 SECONDS",
  "a.ts >= b.ts - INTERVAL 5 SECONDS AND a.ts <= b.ts + INTERVAL 10 SECONDS",
  "b.ts > a.ts AND b.ts < a.ts + INTERVAL 1 MINUTE",
];

const joined = (r: Random): string => {
  const how = r.pick(["INNER", "LEFT", "RIGHT", "FULL", "LEFT SEMI"]);
  const extra = r.pick(["", "", " AND a.v <> b.v", " AND a.v > 2"]);
  const right = how === "LEFT SEMI" ? "" : ", b.k AS kb, b.v AS vb, b.ts AS tb";
  // In full joins of streams Spark takes two null keys for equal, in batches it does not.
  const [a, b] = ["a", "b"].map((name) =>
    how === "FULL" ? `(SELECT * FROM ${name} WHERE k IS NOT NULL) AS ${name}` : name,
  );
  return `SELECT a.k AS k, a.v, a.ts${right} FROM ${a} ${how} JOIN ${b} ON a.k = b.k AND ${r.pick(RANGES)}${extra}`;
};

const joinedWindows = (r: Random): string =>
  `SELECT window(ts, '30 seconds') AS w, k, count(*) AS n, sum(vb) AS s FROM (SELECT a.k AS k, a.ts AS ts, b.v AS vb FROM a ${r.pick(["INNER", "LEFT"])} JOIN b ON a.k = b.k AND ${r.pick(RANGES)}) GROUP BY 1, 2`;

const chained = (r: Random): string =>
  `SELECT window(window_time(w), '1 minute') AS w, k, sum(n) AS n, count(*) AS m FROM (SELECT window(ts, '${r.pick([5, 10, 20])} seconds') AS w, k, count(*) AS n FROM ${stream(r)} AS s GROUP BY 1, 2) GROUP BY 1, 2`;

const distinct = (r: Random): string =>
  `SELECT DISTINCT k, ts${r.pick(["", ", v"])} FROM ${stream(r)} AS s${where(r)}`;

const plain = (r: Random): string =>
  `SELECT k, ${r.pick(["v * 2", "concat(k, '-', v)", "named_struct('a', v, 'b', array(v, NULL))", "CASE WHEN v > 4 THEN k END", "date_trunc('minute', ts)"])} AS x FROM ${stream(r)} AS s${where(r)}`;

/** One of the shapes; update mode for aggregates only. */
export const randomStreamQuery = (r: Random): StreamQuery => {
  const [make, keys] = r.pick<readonly [(r: Random) => string, number]>([
    [windowed, 2],
    [windowed, 2],
    [ungrouped, 1],
    [sessions, 0],
    [joined, 0],
    [joined, 0],
    [joinedWindows, 0],
    [chained, 0],
    [distinct, 0],
    [plain, 0],
  ]);
  const sql = make(r);
  const update = keys > 0 && !sql.includes("HAVING") && r.chance(0.3);
  return { sql, mode: update ? "update" : "append", keys };
};
