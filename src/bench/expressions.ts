/**
 * Generated loops beside the row interpreter, the same chain over the same batches (8,192 rows, one in ten null). What is NOT measured: decoding, compiling,
 * making rows for the interpreter.
 */
import { type Batch, batchFromRows, rowsOf } from "../core/batch.ts";
import { DOUBLE, field, LONG, STRING, TIMESTAMP } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { interpretChain } from "../expr/chain.ts";
import { compileCalc } from "../expr/compile.ts";
import type { CalcStep, EvaluationContext } from "../expr/contract.ts";
import { columnScope } from "../expr/scope.ts";
import { typeExpr } from "../expr/typing.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { printReport } from "./report.ts";
import { parseExpression } from "../sql/parser.ts";

const ROWS = 8192;
const CONTEXT: EvaluationContext = { clockMs: 0, timeZone: "UTC" };
const SCHEMA = schemaOf([field("v", LONG), field("p", DOUBLE), field("k", STRING), field("ts", TIMESTAMP)]);
const CHAINS: readonly (readonly [name: string, filter: string, exprs: readonly string[]])[] = [
  ["arithmetic", "v > 10 AND p < 4000", ["v * 3 + 1", "p * 0.89", "window(ts, '10 seconds').start"]],
  ["strings", "k = 'k7' OR k LIKE 'k1%'", ["upper(k)", "v % 123"]],
  ["conditional", "v BETWEEN 5 AND 900", ["CASE WHEN v > 500 THEN p ELSE p / 2 END", "coalesce(v, 0) + 1"]],
  ["filter", "v < 500", ["v", "k"]],
];

export interface ExpressionFigure {
  readonly name: string;
  readonly compiledNsPerRow: number;
  readonly interpretedNsPerRow: number;
  /** How many times faster the generated loop is; the median chain must reach 20. */
  readonly ratio: number;
  /** Sum over the numbers of the result: the same for both, or the run throws. */
  readonly resultHash: number;
}

const input = (): Batch =>
  batchFromRows(
    SCHEMA,
    Array.from({ length: ROWS }, (_, i): Row => [
      i % 10 === 0 ? null : i % 1000,
      i * 0.5,
      `k${i % 100}`,
      1.7e12 + i * 13,
    ]),
  );

const stepsOf = (filter: string, exprs: readonly string[]): readonly CalcStep[] => {
  const scope = columnScope(
    SCHEMA.fields.map((f, index) => ({ name: f.name, qualifier: [], expr: { kind: "slot", index, ...f } })),
  );
  const typed = (sql: string): ReturnType<typeof typeExpr> => typeExpr(parseExpression(sql), scope);
  return [
    { kind: "filter", condition: typed(filter) },
    { kind: "project", exprs: exprs.map(typed), names: exprs },
  ];
};

const hashOf = (rows: readonly Row[]): number => {
  let hash = rows.length;
  for (const r of rows)
    for (const v of r) hash = (hash * 31 + (typeof v === "number" ? v : String(v).length)) % 1e9;
  return hash;
};

/** Nanoseconds a row, the fastest of `rounds`. */
const fastest = (rounds: number, run: () => void): number => {
  let best = Infinity;
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    run();
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  return best / ROWS;
};

/** Runs every chain; `rounds` bounds the time (30 take about a second). */
export const benchExpressions = (rounds = 30): readonly ExpressionFigure[] => {
  const batch = input();
  const rows = rowsOf(batch);
  return CHAINS.map(([name, filter, exprs]) => {
    const steps = stepsOf(filter, exprs);
    const calc = compileCalc(SCHEMA, steps);
    const interpreted = (): number =>
      rows.reduce((n, r) => n + (interpretChain(steps, r, CONTEXT)?.length ?? 0), 0);
    const wanted = rows.map((r) => interpretChain(steps, r, CONTEXT)).filter((r) => r !== undefined);
    const resultHash = hashOf(rowsOf(calc.run(batch, CONTEXT)));
    if (resultHash !== hashOf(wanted))
      throw new Error(`the compiled ${name} chain gives other rows than the interpreter`);
    const compiledNsPerRow = fastest(rounds * 10, () => void calc.run(batch, CONTEXT));
    const interpretedNsPerRow = fastest(rounds, () => void interpreted());
    return {
      name,
      compiledNsPerRow,
      interpretedNsPerRow,
      ratio: interpretedNsPerRow / compiledNsPerRow,
      resultHash,
    };
  });
};

export const EXPRESSIONS_FLAGS: Flags = { rounds: "rounds of each, the fastest counts (default 30)" };

export const expressions = (o: BenchOptions): Promise<number> => {
  const rounds = positive(o, "rounds", 30);
  const rows = benchExpressions(rounds).map((f) => ({ ...f }));
  printReport({ bench: "expressions", settings: { rounds }, rows }, o.json, o.print);
  return Promise.resolve(0);
};
