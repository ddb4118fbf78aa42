/** Analysis errors of expressions, with Spark's error classes and wording. `sqlType` prints types as Spark does in messages: "BIGINT". */
import { type DataType, typeName } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import type { SourcePosition, TypedExpr } from "./ast.ts";
import type { CallSite } from "./function.ts";
import { plainDecimalString } from "./decimal.ts";

/** A name in backquotes unless it is plain. */
const quotedName = (name: string): string =>
  /^\w*[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;

/** A type's name in upper case, as DDL and messages show it. */
export const sqlType = (t: DataType): string => {
  switch (t.kind) {
    case "array":
      return `ARRAY<${sqlType(t.element)}>`;
    case "map":
      return `MAP<${sqlType(t.key)}, ${sqlType(t.value)}>`;
    case "struct":
      return `STRUCT<${t.fields.map((f) => `${quotedName(f.name)}: ${sqlType(f.type)}${f.nullable ? "" : " NOT NULL"}`).join(", ")}>`;
    default:
      return typeName(t).toUpperCase();
  }
};

/** A short text of a typed expression for messages. */
export const describeTyped = (e: TypedExpr): string => {
  switch (e.kind) {
    case "literal":
      if (e.value === null) return "NULL";
      if (e.type.kind === "decimal") return plainDecimalString(e.value as bigint, e.type.scale);
      return typeof e.value === "object" ? sqlType(e.type) : String(e.value);
    case "attribute":
    case "slot":
    case "variable":
      return e.name;
    case "cast":
      return `${e.tryCast ? "TRY_CAST" : "CAST"}(${describeTyped(e.child)} AS ${sqlType(e.type)})`;
    case "call":
      return describeCall(e.fn, e.args);
    case "case":
      return "CASE … END";
    case "field":
      return `${describeTyped(e.child)}.${e.child.type.kind === "struct" ? (e.child.type.fields[e.index]?.name ?? e.index) : e.index}`;
    case "lambda":
      return `lambdafunction(${describeTyped(e.body)})`;
  }
};

const INFIX = /^(?:[^a-z]+|and|or|div)$/;
export const describeCall = (fn: string, args: readonly TypedExpr[]): string => {
  if (INFIX.test(fn) && args.length === 2)
    return `(${describeTyped(args[0]!)} ${fn.toUpperCase()} ${describeTyped(args[1]!)})`;
  return `${fn}(${args.map(describeTyped).join(", ")})`;
};

const at = (position: SourcePosition | undefined): { position?: SourcePosition } =>
  position ? { position } : {};

/** An AnalysisError of a class: the message begins with `[CLASS]`, as Spark's do. */
export const analysisError = (
  errorClass: string,
  message: string,
  position?: SourcePosition | undefined,
  hint?: string,
): AnalysisError =>
  new AnalysisError(`[${errorClass}] ${message}`, {
    errorClass,
    ...at(position),
    ...(hint === undefined ? {} : { hint }),
  });

/** DATATYPE_MISMATCH.`kind` for a call. */
export const mismatch = (
  kind: string,
  site: CallSite,
  args: readonly TypedExpr[],
  reason: string,
): AnalysisError =>
  analysisError(
    `DATATYPE_MISMATCH.${kind}`,
    `Cannot resolve "${describeCall(site.fn, args)}" due to data type mismatch: ${reason}`,
    site.position,
  );

const ORDINALS = [
  "first",
  "second",
  "third",
  "fourth",
  "fifth",
  "sixth",
  "seventh",
  "eighth",
  "ninth",
  "tenth",
];
export const ordinal = (index: number): string => ORDINALS[index] ?? `${index + 1}th`;

export const unexpectedInput = (
  site: CallSite,
  args: readonly TypedExpr[],
  index: number,
  required: string,
): AnalysisError =>
  mismatch(
    "UNEXPECTED_INPUT_TYPE",
    site,
    args,
    `The ${ordinal(index)} parameter requires the ${required} type, however "${describeTyped(args[index]!)}" has the type "${sqlType(args[index]!.type)}".`,
  );

export const wrongNumberOfArguments = (site: CallSite, expected: string, actual: number): AnalysisError =>
  analysisError(
    "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
    `The \`${site.fn}\` requires ${expected} parameters but the actual number is ${actual}.`,
    site.position,
  );

export const differentTypes = (site: CallSite, args: readonly TypedExpr[]): AnalysisError =>
  mismatch(
    "DATA_DIFF_TYPES",
    site,
    args,
    `Input to \`${site.fn}\` should all be the same type, but it's (${args.map((a) => `"${sqlType(a.type)}"`).join(", ")}).`,
  );

export const binaryDifferentTypes = (site: CallSite, args: readonly TypedExpr[]): AnalysisError =>
  mismatch(
    "BINARY_OP_DIFF_TYPES",
    site,
    args,
    `the left and right operands of the binary operator have incompatible types ("${sqlType(args[0]!.type)}" and "${sqlType(args[1]!.type)}").`,
  );

export const binaryWrongType = (
  site: CallSite,
  args: readonly TypedExpr[],
  required: string,
): AnalysisError =>
  mismatch(
    "BINARY_OP_WRONG_TYPE",
    site,
    args,
    `the binary operator requires the input type ${required}, not "${sqlType(args[0]!.type)}".`,
  );
