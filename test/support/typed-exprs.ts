/** Short constructors of bound typed expressions, for tests of operators. */
import { BOOLEAN, type DataType, LONG } from "../../src/core/data-type.ts";
import type { Schema } from "../../src/core/schema.ts";
import { columnIndex } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import type { AggregateCall, SortOrder, TypedExpr } from "../../src/expr/ast.ts";

/** The column `name` of a schema as a slot. */
export const slot = (schema: Schema, name: string): TypedExpr => {
  const index = columnIndex(schema, name);
  if (index < 0) throw new Error(`no column ${name}`);
  const f = schema.fields[index]!;
  return { kind: "slot", index, name, type: f.type, nullable: f.nullable };
};

export const literal = (value: Value, type: DataType): TypedExpr => ({
  kind: "literal",
  value,
  type,
  nullable: value === null,
});

export const call = (fn: string, args: readonly TypedExpr[], type: DataType = BOOLEAN): TypedExpr => ({
  kind: "call",
  fn,
  args,
  type,
  nullable: true,
});

export const aggregate = (
  fn: string,
  args: readonly TypedExpr[],
  type: DataType = LONG,
  rest: Partial<AggregateCall> = {},
): AggregateCall => ({
  fn,
  args,
  type,
  nullable: fn !== "count",
  distinct: false,
  filter: undefined,
  orderBy: [],
  ignoreNulls: false,
  ...rest,
});

export const ascending = (expr: TypedExpr): SortOrder<TypedExpr> => ({
  expr,
  descending: false,
  nullsFirst: true,
});
