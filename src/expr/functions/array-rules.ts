/** What the functions of arrays ask of their arguments: an element of the array's type, elements with an order. */
import { array as arrayOf, BOOLEAN, type DataType, INT } from "../../core/data-type.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonTypeWithoutStrings, isOrderable, tightestCommonType } from "../coercion.ts";
import type { CallSite, TypeRule } from "../function.ts";
import { array, oneOf, signature } from "../rules.ts";
import { mismatch, sqlType, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";

type ArrayType = DataType & { kind: "array" };

export const elementOf = (t: DataType): DataType => (t as ArrayType).element;
export const mayHaveNull = (t: DataType): boolean => (t as ArrayType).containsNull;

const different = (site: CallSite, args: readonly TypedExpr[]): Error =>
  mismatch(
    "ARRAY_FUNCTION_DIFF_TYPES",
    site,
    args,
    `Input to \`${site.fn}\` should have been "ARRAY" followed by a value with same element type, but it's ["${sqlType(args[0]!.type)}", "${sqlType(args[1]!.type)}"].`,
  );

const nullTyped = (site: CallSite, args: readonly TypedExpr[]): Error =>
  mismatch("NULL_TYPE", site, args, `Null typed values cannot be used as arguments of \`${site.fn}\`.`);

/** (array, element): both with their common element type. */
export const withElement =
  (
    returns: (array: DataType) => DataType,
    options: {
      readonly more?: readonly DataType[];
      readonly at?: number;
      readonly nullable?: boolean;
      readonly nullElement?: boolean;
      /** What is said of a bare NULL for the array. */
      readonly nullArray?: "NULL_TYPE" | "ARRAY_FUNCTION_DIFF_TYPES";
      /** Decimals may widen to meet. */
      readonly wide?: boolean;
    } = {},
  ): TypeRule =>
  (raw, site) => {
    const at = options.at ?? 1;
    if (raw.length !== 2 + (options.more?.length ?? 0))
      throw wrongNumberOfArguments(site, String(2 + (options.more?.length ?? 0)), raw.length);
    if (raw[0]!.type.kind === "null" && raw[at]!.type.kind !== "null")
      throw options.nullArray === "NULL_TYPE"
        ? nullTyped(site, raw)
        : options.nullArray === "ARRAY_FUNCTION_DIFF_TYPES"
          ? different(site, [raw[0]!, raw[at]!])
          : unexpectedInput(site, raw, 0, array.name);
    const base = signature(
      raw.map((_, i) =>
        i === 0
          ? array
          : i === at
            ? oneOf({ name: "ANY", accepts: () => true, whenNull: { kind: "null" } })
            : INT,
      ),
      BOOLEAN,
    )(raw, site);
    const t = base.args[0]!.type;
    const value = base.args[at]!;
    if (value.type.kind === "null" && options.nullElement !== true) throw nullTyped(site, raw);
    const meet = options.wide === true ? commonTypeWithoutStrings : tightestCommonType;
    const common = meet(elementOf(t), value.type);
    if (common === undefined) throw different(site, [raw[0]!, raw[at]!]);
    const type = arrayOf(common, mayHaveNull(t) || (options.nullElement === true && value.nullable));
    const args = base.args.map((a, i) => (i === 0 ? castTo(a, type) : i === at ? castTo(a, common) : a));
    return { args, type: returns(type), nullable: options.nullable ?? base.nullable };
  };

/** The elements must have an order, also where only their equality counts. @throws AnalysisError DATATYPE_MISMATCH.INVALID_ORDERING_TYPE */
export const orderedElements =
  (rule: TypeRule): TypeRule =>
  (args, site) => {
    const t = args.find((a) => a.type.kind === "array" && !isOrderable(elementOf(a.type)))?.type;
    if (t !== undefined)
      throw mismatch(
        "INVALID_ORDERING_TYPE",
        site,
        args,
        `The \`${site.fn}\` does not support ordering on type "${sqlType(elementOf(t))}".`,
      );
    return rule(args, site);
  };
