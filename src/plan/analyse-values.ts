/** Relations without a source: rows, VALUES, range, and the single row of a SELECT without FROM. */
import { LONG } from "../core/data-type.ts";
import type { Row } from "../core/value.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { castTo, commonType } from "../expr/coercion.ts";
import { type Analysis, fail, type Names, type Resolved, resolvedOf } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { constantOf } from "./constants.ts";
import type { LogicalPlan } from "./logical.ts";
import { project, union } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { callOf, longLiteral } from "./typed.ts";

type Of<K extends Relation["kind"]> = Extract<Relation, { kind: K }>;

const rowsNode = (output: LogicalPlan["output"], rows: readonly Row[]): LogicalPlan =>
  Object.freeze({ kind: "rows", rows, output, streaming: false });

export const oneRow = (): LogicalPlan => rowsNode([], [[]]);

export const analyseRows = (a: Analysis, rel: Of<"rows">): Resolved =>
  resolvedOf(
    rowsNode(
      rel.schema.fields.map((f) => a.attribute(f.name, f.type, f.nullable)),
      rel.rows,
    ),
  );

/** An inline table: columns col1, col2, … of the common type of their values. */
export const analyseValues = (a: Analysis, rel: Of<"values">, names: Names): Resolved => {
  const env: Env = { analysis: a, names, visible: { columns: [], hidden: [] }, clause: "VALUES" };
  const width = rel.rows[0]?.length ?? 0;
  if (rel.rows.some((r) => r.length !== width))
    fail(
      "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
      `Inline table expected ${width} columns but found ${rel.rows.find((r) => r.length !== width)!.length} columns.`,
      rel.position,
    );
  const typed = rel.rows.map((r) => r.map((e) => typeIn(env, e)));
  const types = Array.from({ length: width }, (_, i) => {
    const type = commonType(typed.map((r) => r[i]!.type));
    return (
      type ??
      fail(
        "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
        `Found incompatible types in the column \`col${i + 1}\` for inline table.`,
        rel.position,
      )
    );
  });
  const cells = typed.map((r) => r.map((e, i) => castTo(e, types[i]!)));
  const output = types.map((type, i) =>
    a.attribute(
      `col${i + 1}`,
      type,
      cells.some((r) => r[i]!.nullable),
    ),
  );
  const constants = cells.map((r) => r.map((e) => constantOf(e, a.options.timeZone)));
  if (constants.every((r) => r.every((c) => c !== undefined)))
    return resolvedOf(
      rowsNode(
        output,
        constants.map((r) => r.map((c) => c!.value)),
      ),
    );
  return resolvedOf(
    union(
      cells.map((r) => rowOf(a, r)),
      output,
    ),
  );
};

const rowOf = (a: Analysis, cells: readonly TypedExpr[]): LogicalPlan =>
  project(
    oneRow(),
    cells.map((expr, i) => ({ attribute: a.named(`col${i + 1}`, expr), expr })),
  );

/** range(end), range(start, end[, step[, partitions]]): a column `id`. */
export const analyseRange = (a: Analysis, rel: Of<"range">, names: Names): Resolved => {
  const env: Env = { analysis: a, names, visible: { columns: [], hidden: [] }, clause: "range()" };
  const numbers = rel.args.map((e) => {
    const typed = castTo(typeIn(env, e), LONG);
    const constant = constantOf(typed, a.options.timeZone);
    return constant === undefined ? notConstant(rel) : constant.value;
  });
  if (numbers.length < 1 || numbers.length > 4)
    fail(
      "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
      `The \`range\` requires [1, 2, 3, 4] parameters but the actual number is ${numbers.length}.`,
      rel.position,
    );
  if (numbers.some((n) => n === null))
    fail("DATATYPE_MISMATCH.UNEXPECTED_NULL", "The arguments of range() must not be null.", rel.position);
  const [start, end, step] =
    numbers.length === 1
      ? [0, Number(numbers[0]), 1]
      : [Number(numbers[0]), Number(numbers[1]), Number(numbers[2] ?? 1)];
  if (step === 0)
    fail("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "The step of range() must not be 0.", rel.position);
  const output = [a.attribute("id", LONG, false)];
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (count === 0) return resolvedOf(rowsNode(output, []));
  const last = start + (count - 1) * step;
  const plan: LogicalPlan = Object.freeze({
    kind: "generate",
    child: oneRow(),
    fn: "explode",
    args: [
      callOf(
        "sequence",
        [longLiteral(start), longLiteral(last), longLiteral(step)],
        { kind: "array", element: LONG, containsNull: false },
        false,
      ),
    ],
    outer: false,
    generated: output,
    output,
    streaming: false,
  });
  return resolvedOf(plan);
};

const notConstant = (rel: Of<"range">): never =>
  fail("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "The arguments of range() must be constants.", rel.position);
