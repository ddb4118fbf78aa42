/** Evaluates SQL expressions on no table, by the interpreter and by compiled code, for table-driven tests. */
import assert from "node:assert/strict";
import { batchOf } from "../../src/core/batch.ts";
import { typeName } from "../../src/core/data-type.ts";
import { MillraceError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import { valueAt } from "../../src/core/vector.ts";
import { compileExprs } from "../../src/expr/compile.ts";
import type { EvaluationContext } from "../../src/expr/contract.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { columnScope, type Scope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { parseExpression } from "../../src/sql/parser.ts";

export const UTC: EvaluationContext = { clockMs: 1_700_000_000_000, timeZone: "UTC" };
export const NO_COLUMNS: Scope = columnScope([]);

/** The type's name and the value, or the error class. */
export type Evaluated = { readonly type: string; readonly value: Value } | { readonly error: string };

const guarded = (f: () => Evaluated): Evaluated => {
  try {
    return f();
  } catch (e) {
    if (e instanceof MillraceError) return { error: e.errorClass ?? e.message };
    throw e;
  }
};

/** Evaluates both ways and asserts that they agree. */
export const evaluateSql = (sql: string, context: EvaluationContext = UTC): Evaluated => {
  const typed = (): ReturnType<typeof typeExpr> =>
    typeExpr(parseExpression(sql), { ...NO_COLUMNS, timeZone: context.timeZone });
  const interpreted = guarded(() => {
    const e = typed();
    return { type: typeName(e.type), value: interpret(e, [], context) };
  });
  const compiled = guarded(() => {
    const e = typed();
    const [vector] = compileExprs([e])(batchOf(schemaOf([]), 1, []), context);
    return { type: typeName(e.type), value: valueAt(vector!, 0) };
  });
  assert.deepEqual(compiled, interpreted, `compiled and interpreted differ: ${sql}`);
  return interpreted;
};

/** A case: SQL, then the type and value, or the error class alone. */
export type SqlCase =
  readonly [sql: string, type: string, value: Value] | readonly [sql: string, error: string];

export const checkSql = (cases: readonly SqlCase[], context?: EvaluationContext): void => {
  for (const c of cases) {
    const wanted: Evaluated = c.length === 3 ? { type: c[1], value: c[2] } : { error: c[1] };
    assert.deepEqual(evaluateSql(c[0], context), wanted, c[0]);
  }
};
