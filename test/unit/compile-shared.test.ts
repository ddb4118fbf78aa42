/** Expressions that stand more than once in a loop are computed once, wherever they stand, and mean what they meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchFromRows, rowCount, rowsOf } from "../../src/core/batch.ts";
import { BOOLEAN, type DataType, decimal, field, LONG } from "../../src/core/data-type.ts";
import { AnalysisError, ExecutionError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import { valueAt } from "../../src/core/vector.ts";
import type { Expr, TypedExpr } from "../../src/expr/ast.ts";
import { compileCalc, compileExprs } from "../../src/expr/compile.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { parseExpression } from "../../src/sql/parser.ts";
import { batches, conditions, numbers, slotScope } from "../support/expressions.ts";
import { call, literal, slot } from "../support/typed-exprs.ts";

const CONTEXT = { clockMs: 1_700_000_000_000, timeZone: "Europe/Berlin" };

const typed = (e: Expr): TypedExpr | undefined => {
  try {
    return typeExpr(e, slotScope);
  } catch (error) {
    if (error instanceof AnalysisError) return undefined;
    throw error;
  }
};

const either = (condition: TypedExpr, a: TypedExpr, b: TypedExpr): TypedExpr => ({
  kind: "case",
  branches: [[condition, a]],
  otherwise: b,
  type: a.type,
  nullable: true,
});

const outcome = (f: () => unknown): unknown => {
  try {
    return f();
  } catch (e) {
    if (e instanceof ExecutionError) return e.errorClass ?? e.message;
    throw e;
  }
};

test("property: the same expression in branches, behind conditions and beside", () => {
  let checked = 0;
  fc.assert(
    fc.property(batches, conditions, numbers, fc.boolean(), (batch, c, n, first) => {
      const [condition, number] = [typed(c), typed(n)];
      if (condition === undefined || number === undefined) return;
      checked++;
      const branch = either(condition, number, literal(null, number.type));
      const twice = either(call("isnull", [number]), number, number);
      const exprs = first ? [number, branch, twice] : [branch, twice, number, condition];
      const wanted = outcome(() => rowsOf(batch).map((r) => exprs.map((e) => interpret(e, r, CONTEXT))));
      const got = outcome(() => {
        const vectors = compileExprs(exprs)(batch, CONTEXT);
        return Array.from({ length: rowCount(batch) }, (_, k) => vectors.map((v) => valueAt(v, k)));
      });
      assert.deepEqual(got, wanted);
    }),
    { numRuns: 500 },
  );
  assert.ok(checked > 100, `only ${checked} had a type`);
});

const TYPES = [decimal(3, 3), decimal(20, 0), decimal(38, 10), decimal(10, 2), LONG] as const;

test("property: decimals by the operator itself or by the checked operation give what the interpreter gives", () => {
  const value = (t: DataType): fc.Arbitrary<Value> => {
    if (t.kind !== "decimal") return fc.oneof(fc.maxSafeInteger(), fc.constant(null));
    const most = 10n ** BigInt(t.precision) - 1n;
    return fc.oneof(
      fc.bigInt({ min: -999n, max: 999n }).map((x) => (x > most ? most : x)),
      fc.constantFrom(most, -most, 0n, null),
    );
  };
  const schema = schemaOf(TYPES.map((t, i) => field(`c${i}`, t)));
  const scope = columnScope(
    TYPES.map((_, i) => ({ name: `c${i}`, qualifier: [], expr: slot(schema, `c${i}`) })),
  );
  const column = fc.nat(TYPES.length - 1).map((i) => `c${i}`);
  const op = fc.constantFrom("+", "-", "*", "/", "%");
  let checked = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(...TYPES.map(value)), { minLength: 1, maxLength: 4 }),
      op,
      column,
      column,
      op,
      column,
      (rows, f, a, b, g, c) => {
        let e: TypedExpr;
        try {
          e = typeExpr(parseExpression(`(${a} ${f} ${b}) ${g} ${c}`), scope);
        } catch (error) {
          if (error instanceof AnalysisError) return;
          throw error;
        }
        checked++;
        for (const row of rows) {
          const batch = batchFromRows(schema, [row]);
          const wanted = outcome(() => interpret(e, row, CONTEXT));
          assert.deepEqual(
            outcome(() => valueAt(compileExprs([e])(batch, CONTEXT)[0]!, 0)),
            wanted,
          );
        }
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(checked > 200, `only ${checked} had a type`);
});

test("a product that is tested twice and shown is computed once, a random number each time", () => {
  const schema = schemaOf([field("a", LONG)]);
  const product = call("*", [slot(schema, "a"), literal(3, LONG)], LONG);
  const between = (e: TypedExpr): TypedExpr =>
    call("and", [call(">", [e, literal(3, e.type)], BOOLEAN), call("<", [e, literal(30, e.type)], BOOLEAN)]);
  const batch = batchFromRows(schema, [[1], [2], [20]]);
  const run = (e: TypedExpr): string => {
    const calc = compileCalc(schema, [
      { kind: "filter", condition: between(e) },
      { kind: "project", exprs: [e], names: ["p"] },
    ]);
    calc.run(batch, CONTEXT);
    return calc.source;
  };
  // The kernel is called in one place.
  assert.equal(run(product).match(/b\d+\(s\d+, b\d+\)/g)?.length, 1);
  const random = typeExpr(parseExpression("rand(1)"), slotScope);
  assert.equal(run(random).match(/k\d+\)/g)?.length, 3);
});
