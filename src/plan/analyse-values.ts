/** Relations without a source: rows, VALUES, range, and the single row of a SELECT without FROM. */
import type { Row } from "../core/value.ts";
import type { Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { castTo, commonTypeOfColumn } from "../expr/coercion.ts";
import { generatorDefinition } from "../expr/generators.ts";
import { type Analysis, fail, type Names, type Resolved, resolvedOf } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { generatorOf } from "./analyse-generate.ts";
import { someExpr } from "./analyse-items.ts";
import { siteOf } from "./analyse-functions.ts";
import { constantOf } from "./constants.ts";
import type { LogicalPlan } from "./logical.ts";
import { project, union } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { attributesOf, some } from "./typed.ts";

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
  const env: Env = {
    ...{ analysis: a, names, visible: { columns: [], hidden: [] }, clause: "VALUES" },
    aggregate: (e) => notConstant(e.position),
    subqueries: { resolve: subqueryInValues },
  };
  const width = rel.rows[0]?.length ?? 0;
  if (rel.rows.some((r) => r.length !== width))
    fail(
      "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
      `Inline table expected ${width} columns but found ${rel.rows.find((r) => r.length !== width)!.length} columns.`,
      rel.position,
    );
  const generator = rel.rows.flat().find((e) => someExpr(e, (x) => generatorOf(x) !== undefined));
  if (generator !== undefined) notConstant(generator.position);
  const typed = rel.rows.map((r) => r.map((e) => typeIn(env, e)));
  if (a.options.compatibility === "spark" && typed.some((r) => attributesOf(...r).length > 0))
    notConstant(rel.position);
  const types = Array.from({ length: width }, (_, i) => {
    const type = commonTypeOfColumn(typed.map((r) => r[i]!.type));
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
  if (a.options.compatibility === "spark" && cells.some((r) => r.some(isRandom))) notConstant(rel.position);
  return resolvedOf(
    union(
      cells.map((r) => rowOf(a, r)),
      output,
    ),
  );
};

const notConstant = (position: SourcePosition | undefined): never =>
  fail(
    "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
    "Cannot evaluate the expression in an inline table definition: it is no constant.",
    position,
  );

/** Functions of chance: an inline table of Spark has one value for a cell. */
const RANDOM: ReadonlySet<string> = new Set(["rand", "randn", "uuid", "shuffle", "uniform", "randstr"]);
const isRandom = (e: TypedExpr): boolean => some(e, (x) => x.kind === "call" && RANDOM.has(x.fn));

const subqueryInValues = (e: Expr): never =>
  fail(
    "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.SCALAR_SUBQUERY_IN_VALUES",
    "Scalar subqueries in the VALUES clause are not supported.",
    e.position,
    "SELECT … UNION ALL SELECT … may hold them",
  );

const rowOf = (a: Analysis, cells: readonly TypedExpr[]): LogicalPlan =>
  project(
    oneRow(),
    cells.map((expr, i) => ({ attribute: a.named(`col${i + 1}`, expr), expr })),
  );

/** range(end), range(start, end[, step[, partitions]]): a column `id`. */
export const analyseRange = (a: Analysis, rel: Of<"range">, names: Names): Resolved => {
  const env: Env = { analysis: a, names, visible: { columns: [], hidden: [] }, clause: "range()" };
  // the fourth, a number of partitions, says nothing here; more than four are refused
  const args = (rel.args.length > 4 ? rel.args : rel.args.slice(0, 3)).map((e) => typeIn(env, e));
  const named = rel.args.findIndex((e) => someExpr(e, (x) => x.kind === "column"));
  if (named >= 0 && a.options.compatibility === "spark")
    fail(
      "NON_FOLDABLE_ARGUMENT",
      "The function `range` requires its parameters to be foldable expressions, but the actual argument is a non-foldable.",
      rel.args[named]!.position ?? rel.position,
    );
  const definition = generatorDefinition("range")!;
  const call: Expr = { kind: "call", fn: "range", args: rel.args, position: rel.position };
  const resolved = definition.resolve(args, siteOf("range", a.options.timeZone, call));
  const output = resolved.output.map((f) => a.attribute(f.name, f.type, f.nullable));
  const plan: LogicalPlan = Object.freeze({
    kind: "generate",
    child: oneRow(),
    fn: definition.name,
    args: resolved.args,
    outer: false,
    generated: output,
    output,
    streaming: false,
  });
  return resolvedOf(plan);
};
