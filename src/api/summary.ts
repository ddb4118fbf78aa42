/** Relations of `describe` and `as(schema)`. */
import { STRING, type DataType } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import { columnIndex, type Schema } from "../core/schema.ts";
import type { Expr } from "../expr/ast.ts";
import { nearest } from "../expr/suggestion.ts";
import type { Relation } from "../plan/relation.ts";
import { aliased, call, column } from "./expression-builder.ts";
import { checkNames } from "./frame-items.ts";
import { literal } from "./literal.ts";

const STATISTICS = [
  ["count", "count"],
  ["mean", "avg"],
  ["stddev", "stddev"],
  ["min", "min"],
  ["max", "max"],
] as const;
const NUMERIC = ["byte", "short", "int", "long", "float", "double", "decimal"];
const isDescribed = (type: DataType): boolean => type.kind === "string" || NUMERIC.includes(type.kind);
const asText = (child: Expr): Expr => ({ kind: "cast", child, to: STRING, tryCast: false });

/** Spark's `describe`: a row per statistic, its values as text. */
export const described = (child: Relation, schema: Schema, names: readonly string[]): Relation => {
  const columns = schema.fields.map((f) => f.name);
  checkNames("describe", names, columns);
  const fields = schema.fields.filter((f) =>
    names.length === 0 ? isDescribed(f.type) : names.includes(f.name),
  );
  const rows = STATISTICS.map(([label, fn]): Relation => {
    const values = fields.map(({ name, type }) => {
      const numeric =
        NUMERIC.includes(type.kind) || (type.kind === "string" && (fn === "avg" || fn === "stddev"));
      const known = fn === "count" || fn === "min" || fn === "max" || numeric;
      const input: Expr =
        type.kind === "string" && (fn === "avg" || fn === "stddev")
          ? { kind: "cast", child: column(name), to: { kind: "double" }, tryCast: true }
          : column(name);
      return aliased(known ? asText(call(fn, [input])) : asText(literal(null, STRING)), name);
    });
    const summary = aliased(literal(label, STRING), "summary");
    return { kind: "select", child, exprs: [summary, ...values] };
  });
  return rows.reduce((left, right) => ({
    kind: "setOperation",
    op: "union",
    all: true,
    byName: false,
    left,
    right,
  }));
};

/** The columns of `wanted`, found by name in `present` and cast to their types (Spark: Dataset.to). Throws AnalysisError for one that is absent. */
export const conformed = (child: Relation, wanted: Schema, present: Schema): Relation => {
  const exprs = wanted.fields.map((f): Expr => {
    const i = columnIndex(present, f.name);
    if (i < 0) {
      const names = present.fields.map((p) => p.name);
      throw new AnalysisError(
        `[UNRESOLVED_COLUMN.WITH_SUGGESTION] the schema has a column \`${f.name}\`, the frame has not. Did you mean one of the following? [${nearest(
          f.name,
          names,
        )
          .map((n) => `\`${n}\``)
          .join(", ")}]`,
        { errorClass: "UNRESOLVED_COLUMN.WITH_SUGGESTION" },
      );
    }
    const found = column(present.fields[i]!.name);
    return aliased(
      present.fields[i]!.type === f.type ? found : { kind: "cast", child: found, to: f.type, tryCast: false },
      f.name,
    );
  });
  return { kind: "select", child, exprs };
};
