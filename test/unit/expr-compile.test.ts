/** Compiled expressions and the row interpreter agree, in values and in error classes; the compiler's own promises (compile.ts K1-K4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { type Batch, batchFromRows, rowCount, rowsOf } from "../../src/core/batch.ts";
import {
  DAY_TIME_INTERVAL,
  field,
  LONG,
  STRING,
  TIMESTAMP,
  TIMESTAMP_NTZ,
} from "../../src/core/data-type.ts";
import { AnalysisError, ExecutionError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import { valueAt } from "../../src/core/vector.ts";
import type { Expr, TypedExpr } from "../../src/expr/ast.ts";
import { interpretChain } from "../../src/expr/chain.ts";
import { compileCalc, compileExprs } from "../../src/expr/compile.ts";
import type { CalcStep } from "../../src/expr/contract.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { batches, conditions, expressions, numbers, slotScope, texts } from "../support/expressions.ts";

const CONTEXT = { clockMs: 1_700_000_000_000, timeZone: "Europe/Berlin" };
const RUNS = 1500;

/** Values, or the error class. */
type Outcome = readonly (readonly Value[])[] | string;

const outcome = (f: () => readonly (readonly Value[])[]): Outcome => {
  try {
    return f();
  } catch (e) {
    if (e instanceof ExecutionError) return e.errorClass ?? e.message;
    throw e;
  }
};

const typed = (exprs: readonly Expr[]): readonly TypedExpr[] | undefined => {
  try {
    return exprs.map((e) => typeExpr(e, slotScope));
  } catch (e) {
    if (e instanceof AnalysisError) return undefined;
    throw e;
  }
};

const same = (got: Outcome, wanted: Outcome, note: () => string): void => {
  if (!isDeepStrictEqual(got, wanted)) assert.deepEqual({ got, note: note() }, { got: wanted, note: note() });
};

const text = (x: unknown): string =>
  JSON.stringify(x, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v));

test("compiled expressions give what the interpreter gives", () => {
  let checked = 0;
  fc.assert(
    fc.property(
      batches,
      fc.array(fc.oneof(expressions, numbers), { minLength: 1, maxLength: 2 }),
      (batch, raw) => {
        const exprs = typed(raw);
        if (exprs === undefined) return;
        checked++;
        const wanted = outcome(() => rowsOf(batch).map((r) => exprs.map((e) => interpret(e, r, CONTEXT))));
        const got = outcome(() => {
          const vectors = compileExprs(exprs)(batch, CONTEXT);
          return Array.from({ length: rowCount(batch) }, (_, k) => vectors.map((v) => valueAt(v, k)));
        });
        same(got, wanted, () => text(exprs));
      },
    ),
    { numRuns: RUNS },
  );
  assert.ok(checked > RUNS / 4, `only ${checked} of the expressions had a type`);
});

const chains = fc.tuple(
  conditions,
  fc.array(fc.oneof(numbers, texts, expressions), { minLength: 1, maxLength: 3 }),
);

const stepsOf = (condition: Expr, raw: readonly Expr[]): readonly CalcStep[] | undefined => {
  const exprs = typed([condition, ...raw]);
  if (exprs === undefined) return undefined;
  const [first, ...rest] = exprs as readonly [TypedExpr, ...TypedExpr[]];
  const project: CalcStep = { kind: "project", exprs: rest, names: rest.map((_, i) => `c${i}`) };
  const slots = rest.map((e, index): TypedExpr => ({
    kind: "slot",
    index,
    name: `c${index}`,
    type: e.type,
    nullable: true,
  }));
  const again: CalcStep = {
    kind: "project",
    exprs: [...slots, slots[0]!],
    names: slots.concat(slots[0]!).map((_, i) => `d${i}`),
  };
  const present: TypedExpr = {
    kind: "call",
    fn: "isnotnull",
    args: [slots[0]!],
    type: { kind: "boolean" },
    nullable: false,
  };
  return [{ kind: "filter", condition: first }, project, { kind: "filter", condition: present }, again];
};

test("compiled chains of filters and projections give what the interpreter gives", () => {
  fc.assert(
    fc.property(batches, chains, (batch, [condition, raw]) => {
      const steps = stepsOf(condition, raw);
      if (steps === undefined) return;
      const wanted = outcome(() =>
        rowsOf(batch).flatMap((r) => {
          const out = interpretChain(steps, r, CONTEXT);
          return out === undefined ? [] : [out];
        }),
      );
      const got = outcome(() => rowsOf(compileCalc(batch.schema, steps).run(batch, CONTEXT)));
      same(got, wanted, () => text(steps));
    }),
    { numRuns: RUNS },
  );
});

const LONGS = schemaOf([field("l", LONG), field("k", STRING)]);
const longs = (values: readonly Value[]): Batch =>
  batchFromRows(
    LONGS,
    values.map((v) => [v, "k"]),
  );
const scope = columnScope(
  LONGS.fields.map((f, index) => ({ name: f.name, qualifier: [], expr: { kind: "slot", index, ...f } })),
);
const plusOne = typeExpr(
  {
    kind: "call",
    fn: "+",
    args: [
      { kind: "column", parts: ["l"] },
      { kind: "literal", value: 1, type: LONG },
    ],
  },
  scope,
);

test("a sum beyond ±2^53 is exact and switches the vector's layout (K2)", () => {
  const run = compileExprs([plusOne]);
  assert.equal(run(longs([1, 2]), CONTEXT)[0]!.layout, "f64");
  const [wide] = run(longs([1, 9007199254740991, null]), CONTEXT);
  assert.equal(wide!.layout, "i64");
  assert.deepEqual(
    [0, 1, 2].map((i) => valueAt(wide!, i)),
    [2, 9007199254740992n, null],
  );
  assert.equal(run(longs([1, 2]), CONTEXT)[0]!.layout, "f64");
  assert.throws(() => run(longs([9223372036854775807n]), CONTEXT), { errorClass: "ARITHMETIC_OVERFLOW" });
});

test("a filter shares the columns it keeps and selects rows (K3)", () => {
  const condition = typeExpr(
    {
      kind: "call",
      fn: ">",
      args: [
        { kind: "column", parts: ["l"] },
        { kind: "literal", value: 1, type: LONG },
      ],
    },
    scope,
  );
  const batch = longs([1, 2, null, 3]);
  const out = compileCalc(LONGS, [{ kind: "filter", condition }]).run(batch, CONTEXT);
  assert.equal(out.columns[0], batch.columns[0]);
  assert.deepEqual([...out.selection!], [1, 3]);
});

test("names and literals never reach the generated source (G1)", () => {
  const evil = "'; process.exit(1); //__proto__";
  const odd = columnScope([
    { name: evil, qualifier: [], expr: { kind: "slot", index: 1, name: evil, type: STRING, nullable: true } },
  ]);
  const e = typeExpr(
    {
      kind: "call",
      fn: "=",
      args: [
        { kind: "column", parts: [evil] },
        { kind: "literal", value: evil, type: STRING },
      ],
    },
    odd,
  );
  const calc = compileCalc(LONGS, [{ kind: "project", exprs: [e], names: [evil] }]);
  assert.ok(!calc.source.includes("exit") && !calc.source.includes("proto"));
  assert.deepEqual(rowsOf(calc.run(longs([1]), CONTEXT)), [[false]]);
});

test("rows of one window share its struct, and every row has its own window", () => {
  const schema = schemaOf([field("ts", TIMESTAMP)]);
  const ts: TypedExpr = { kind: "slot", index: 0, name: "ts", type: TIMESTAMP, nullable: true };
  const ofTimes = columnScope([{ name: "ts", qualifier: [], expr: ts }]);
  const windowOf = (size: string, start: string): TypedExpr => {
    const args = [size, size, start].map((value): Expr => ({ kind: "literal", value, type: STRING }));
    const call: Expr = { kind: "call", fn: "window", args: [{ kind: "column", parts: ["ts"] }, ...args] };
    return typeExpr(call, ofTimes);
  };
  const times = [-1, 0, 5, 9_999, 10_000, 9_999, 20_001, null, 20_002, -10_000, 0.5, 9_999.999];
  const batch = batchFromRows(
    schema,
    times.map((t) => [t]),
  );
  for (const e of [
    windowOf("10 seconds", "0 seconds"),
    windowOf("10 seconds", "3 seconds"),
    windowOf("1500 microseconds", "0 seconds"),
  ]) {
    const [vector] = compileExprs([e])(batch, CONTEXT);
    const got = times.map((_, i) => valueAt(vector!, i));
    assert.deepEqual(
      got,
      times.map((t) => interpret(e, [t], CONTEXT)),
    );
    const { args } = e as Extract<TypedExpr, { kind: "call" }>;
    if ((args[1] as { value: Value }).value === 10_000_000) assert.equal(got[6], got[8]);
  }
});

test("timestamps plus and minus day-time intervals, over changes of summer time and at the end of time", () => {
  const DAY = 86_400_000_000;
  const END = Math.floor(2 ** 63 / 1000);
  const times = [
    0,
    0.001,
    -1,
    null,
    ...[2, 9].flatMap((m) => [29, 30, 31].map((d) => Date.UTC(2024, m, d, 12))),
  ];
  times.push(253_402_300_799_999, END, -END);
  const spans = [0, 1, -1, 3_600_000_000, DAY - 1, DAY, -DAY, 2 * DAY + 5, null];
  const rows = times.flatMap((t) => spans.map((s) => [t, s] as const));
  for (const type of [TIMESTAMP, TIMESTAMP_NTZ]) {
    const schema = schemaOf([field("ts", type), field("by", DAY_TIME_INTERVAL)]);
    const slots = schema.fields.map(({ name, type: t }, index): TypedExpr => ({
      kind: "slot",
      index,
      name,
      type: t,
      nullable: true,
    }));
    const scope = columnScope(
      slots.map((expr, i) => ({ name: schema.fields[i]!.name, qualifier: [], expr })),
    );
    for (const fn of ["+", "-"]) {
      const args = schema.fields.map(({ name }): Expr => ({ kind: "column", parts: [name] }));
      const e = typeExpr({ kind: "call", fn, args }, scope);
      for (const row of rows) {
        const got = outcome(() => [
          [valueAt(compileExprs([e])(batchFromRows(schema, [row]), CONTEXT)[0]!, 0)],
        ]);
        same(
          got,
          outcome(() => [[interpret(e, row, CONTEXT)]]),
          () => `${text(row)} ${fn} ${type.kind}`,
        );
      }
    }
  }
});
