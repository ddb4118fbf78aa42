/** Relations of `describe`, `summary` and `as(schema)`. */
import { type DataType, DOUBLE, type Field, INT, STRING } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import { columnIndex, type Schema } from "../core/schema.ts";
import type { Expr } from "../expr/ast.ts";
import { nearest } from "../expr/suggestion.ts";
import type { Relation } from "../plan/relation.ts";
import { kindOf } from "./arguments.ts";
import { aliased, call, column } from "./expression-builder.ts";
import { checkNames } from "./frame-items.ts";
import { literal } from "./literal.ts";

/** What `summary` takes; a percentage from 0 to 100 is a percentile. */
export type Statistic =
  "count" | "count_distinct" | "approx_count_distinct" | "mean" | "stddev" | "min" | "max" | `${number}%`;

const DESCRIBED: readonly Statistic[] = ["count", "mean", "stddev", "min", "max"];
const SUMMARISED: readonly Statistic[] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];
const KNOWN = ["count", "count_distinct", "approx_count_distinct", "mean", "stddev", "min", "max"];
const NUMERIC = ["byte", "short", "int", "long", "float", "double", "decimal"];
/** Spark's accuracy of the percentiles. */
const ACCURACY = 10_000;
const PERCENT = 100;

const isDescribed = (type: DataType): boolean => type.kind === "string" || NUMERIC.includes(type.kind);
const asText = (child: Expr): Expr => ({ kind: "cast", child, to: STRING, tryCast: false });
const asNumber = (child: Expr, type: DataType): Expr =>
  type.kind === "string" ? { kind: "cast", child, to: DOUBLE, tryCast: true } : child;

const unknown = (statistic: unknown): never => {
  const text = typeof statistic === "string" ? statistic : kindOf(statistic);
  throw new AnalysisError(
    `[UNRECOGNIZED_STATISTIC] The statistic \`${text}\` is not recognized. Valid statistics include ${KNOWN.map((k) => `\`${k}\``).join(", ")}, and percentile values. Percentile must be a numeric value followed by '%', within the range 0% to 100%.`,
    { errorClass: "UNRECOGNIZED_STATISTIC", hint: `did you mean "${nearest(text, KNOWN)[0]}"?` },
  );
};

const percentile = (statistic: string): number => {
  const percentage = /^(\d+(?:\.\d+)?)%$/.exec(statistic);
  const part = Number(percentage?.[1] ?? NaN) / PERCENT;
  return part >= 0 && part <= 1 ? part : unknown(statistic);
};

const statisticOf = (statistic: Statistic, { name, type }: Field): Expr => {
  const values = column(name);
  switch (statistic) {
    case "count":
    case "min":
    case "max":
    case "approx_count_distinct":
      return call(statistic, [values]);
    case "count_distinct":
      return { kind: "call", fn: "count", args: [values], distinct: true };
    case "mean":
      return call("avg", [asNumber(values, type)]);
    case "stddev":
      return call("stddev", [asNumber(values, type)]);
    default: {
      const numbers: Expr =
        type.kind === "decimal"
          ? { kind: "cast", child: values, to: DOUBLE, tryCast: false }
          : asNumber(values, type);
      const at = [literal(percentile(statistic), DOUBLE), literal(ACCURACY, INT)];
      return call("percentile_approx", [numbers, ...at]);
    }
  }
};

/** One aggregate of everything, and of its row a row for each statistic. */
const statistics = (child: Relation, fields: readonly Field[], names: readonly Statistic[]): Relation => {
  const cell = (i: number, j: number): string => `${i}_${j}`;
  const aggregates = names.flatMap((s, i) =>
    fields.map((f, j) => aliased(asText(statisticOf(s, f)), cell(i, j))),
  );
  const all = aliased(call("count", [literal(1, INT)]), "rows");
  const one: Relation = { kind: "aggregate", child, keys: [], aggregates: [all, ...aggregates] };
  const cells = names.flatMap((s, i) => [literal(s, STRING), ...fields.map((_, j) => column(cell(i, j)))]);
  const rows = call("stack", [literal(names.length, INT), ...cells]);
  const columns = ["summary", ...fields.map((f) => f.name)];
  return { kind: "select", child: one, exprs: [{ kind: "alias", child: rows, names: columns }] };
};

/** Spark's `summary`. Throws AnalysisError for a statistic that there is not. */
export const summarised = (child: Relation, schema: Schema, names: readonly Statistic[]): Relation => {
  for (const s of names) if (typeof s !== "string" || !KNOWN.includes(s)) percentile(String(s));
  const fields = schema.fields.filter((f) => isDescribed(f.type));
  return statistics(child, fields, names.length === 0 ? SUMMARISED : names);
};

/** Spark's `describe`: a row per statistic, its values as text; of the columns named, those that are numbers or texts. */
export const described = (child: Relation, schema: Schema, names: readonly string[]): Relation => {
  checkNames(
    "describe",
    names,
    schema.fields.map((f) => f.name),
  );
  const named = names.flatMap((n) =>
    schema.fields.filter((f) => f.name.toLowerCase() === n.toLowerCase()).slice(0, 1),
  );
  const fields = (names.length === 0 ? schema.fields : named).filter((f) => isDescribed(f.type));
  return statistics(child, fields, DESCRIBED);
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
