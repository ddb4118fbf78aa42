/**
 * Comparison. C1: operands are cast to one type first. C2: NaN equals NaN and is the greatest, -0 equals 0; strings compare by their UTF-8 bytes.
 * C3: `<=>` never gives null; `in` gives null when nothing matches and something was null.
 */
import { BOOLEAN, type DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonType, isOrderable, tightestCommonType } from "../coercion.ts";
import { widerDecimal } from "../decimal.ts";
import type { CallSite, Emit, Evaluate, FunctionDefinition, TypeRule } from "../function.ts";
import {
  binaryDifferentTypes,
  differentTypes,
  mismatch,
  sqlType,
  wrongNumberOfArguments,
} from "../type-errors.ts";
import { compareStrings, compareValues, equalValues } from "../value-order.ts";
import { meetOperands } from "./operators.ts";

type Relation = "=" | "<" | "<=" | ">" | ">=" | "<>";

const requireOrder = (args: readonly TypedExpr[], site: CallSite): void => {
  const t = args[0]!.type;
  if (!isOrderable(t))
    throw mismatch(
      "INVALID_ORDERING_TYPE",
      site,
      args,
      `The \`${site.fn}\` does not support ordering on type "${sqlType(t)}".`,
    );
};

/** Both operands as one type. Throws BINARY_OP_DIFF_TYPES or INVALID_ORDERING_TYPE. */
export const comparableOperands = (args: readonly TypedExpr[], site: CallSite): readonly TypedExpr[] => {
  if (args.length !== 2) throw wrongNumberOfArguments(site, "2", args.length);
  let [a, b] = meetOperands(args);
  if (a.type.kind === "decimal" && b.type.kind === "decimal") {
    const wide = widerDecimal(a.type, b.type);
    [a, b] = [castTo(a, wide), castTo(b, wide)];
  }
  if (sqlType(a.type) !== sqlType(b.type)) {
    const common = a.type.kind === b.type.kind ? tightestCommonType(a.type, b.type) : undefined;
    if (common === undefined && a.type.kind === "struct" && shape(a.type) === shape(b.type)) {
      requireOrder([a, b], site);
      return [a, b];
    }
    if (common === undefined) throw binaryDifferentTypes(site, [a, b]);
    [a, b] = [castTo(a, common), castTo(b, common)];
  }
  requireOrder([a, b], site);
  return [a, b];
};

/** A type without the names of its fields: structs compare by place. */
const shape = (t: DataType): string => {
  switch (t.kind) {
    case "struct":
      return `struct(${t.fields.map((f) => shape(f.type)).join(",")})`;
    case "array":
      return `array(${shape(t.element)})`;
    default:
      return sqlType(t);
  }
};

const relationRule: TypeRule = (raw, site) => {
  const args = comparableOperands(raw, site);
  return { args, type: BOOLEAN, nullable: args.some((a) => a.nullable) };
};

const HOLDS: Readonly<Record<Relation, (c: number) => boolean>> = {
  "=": (c) => c === 0,
  "<>": (c) => c !== 0,
  "<": (c) => c < 0,
  "<=": (c) => c <= 0,
  ">": (c) => c > 0,
  ">=": (c) => c >= 0,
};

type Test = (a: Value, b: Value) => boolean;
const tests = new WeakMap<DataType, Map<Relation, Test>>();

/** The test of a relation on non-null values of a type, made once. */
const testOf = (relation: Relation, type: DataType): Test => {
  let byRelation = tests.get(type);
  if (byRelation === undefined) tests.set(type, (byRelation = new Map()));
  let test = byRelation.get(relation);
  if (test === undefined) {
    const compare = compareValues(type);
    const holds = HOLDS[relation];
    test = (a, b) => holds(compare(a, b));
    byRelation.set(relation, test);
  }
  return test;
};

const evaluateRelation =
  (relation: Relation): Evaluate =>
  ([a, b], call) =>
    testOf(relation, call.argTypes[0]!)(a as Value, b as Value);

const JS_OPERATOR: Readonly<Record<Relation, string>> = {
  "=": "===",
  "<>": "!==",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};
/** C2 for doubles. */
const FLOAT_TEST: Readonly<Record<Relation, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b || (a !== a && b !== b),
  "<>": (a, b) => a !== b && (a === a || b === b),
  "<": (a, b) => a < b || (b !== b && a === a),
  "<=": (a, b) => a <= b || b !== b,
  ">": (a, b) => a > b || (a !== a && b === b),
  ">=": (a, b) => a >= b || a !== a,
};
/** Kinds whose non-null JS values compare with JS operators. */
const PLAIN = new Set([
  "boolean",
  "byte",
  "short",
  "int",
  "long",
  "decimal",
  "date",
  "timestamp",
  "timestamp_ntz",
]);

const emitRelation =
  (relation: Relation): Emit =>
  (args, call, bind) => {
    const kind = call.argTypes[0]!.kind;
    const [a, b] = args as readonly [string, string];
    if (PLAIN.has(kind) || kind === "dayTimeInterval" || kind === "yearMonthInterval")
      return `(${a} ${JS_OPERATOR[relation]} ${b})`;
    if (kind === "double" || kind === "float") return `${bind(FLOAT_TEST[relation])}(${a}, ${b})`;
    if (kind !== "string") return undefined;
    if (relation === "=" || relation === "<>") return `(${a} ${JS_OPERATOR[relation]} ${b})`;
    return `(${bind(compareStrings)}(${a}, ${b}) ${JS_OPERATOR[relation]} 0)`;
  };

const relation = (
  name: Relation,
  aliases: readonly string[],
  usage: string,
  summary: string,
  examples: readonly (readonly [string, string])[],
): FunctionDefinition => ({
  name,
  aliases,
  category: "operator",
  usage,
  summary,
  examples,
  resolve: relationRule,
  nulls: "strict",
  evaluate: evaluateRelation(name),
  emit: emitRelation(name),
});

const nullSafeEqual: FunctionDefinition = {
  name: "<=>",
  aliases: ["equal_null"],
  category: "operator",
  usage: "expr1 <=> expr2",
  summary: "Equality where null equals null; never null.",
  examples: [["NULL <=> NULL", "true"]],
  resolve: (raw, site) => ({ args: comparableOperands(raw, site), type: BOOLEAN, nullable: false }),
  nulls: "custom",
  evaluate: ([a, b], call) => {
    if (a === null || b === null) return a === b;
    return equalValues(call.argTypes[0]!)(a as Value, b as Value);
  },
};

const membership: FunctionDefinition = {
  name: "in",
  category: "operator",
  usage: "expr1 in (expr2, …)",
  summary: "True when `expr1` equals one of the list (C3).",
  examples: [["1 in (1, 2, 3)", "true"]],
  resolve: (raw, site) => {
    if (raw.length < 2) throw wrongNumberOfArguments(site, "> 1", raw.length);
    const types = raw.map((a) => a.type);
    const first = types[0]!;
    const common = commonType(types) ?? (types.every((t) => shape(t) === shape(first)) ? first : undefined);
    if (common === undefined) throw differentTypes(site, raw);
    const args = raw.map((a) => castTo(a, common));
    if (common.kind !== "null") requireOrder(args, site);
    return { args, type: BOOLEAN, nullable: args.some((a) => a.nullable) };
  },
  nulls: "custom",
  evaluate: ([value, ...list], call) => {
    if (value === null) return null;
    const equal = testOf("=", call.argTypes[0]!);
    let unknown = false;
    for (const item of list) {
      if (item === null) unknown = true;
      else if (equal(value as Value, item as Value)) return true;
    }
    return unknown ? null : false;
  },
};

const call = (fn: string, args: readonly TypedExpr[], site: CallSite): TypedExpr => ({
  kind: "call",
  fn,
  args,
  type: BOOLEAN,
  nullable: args.some((a) => a.nullable),
  position: site.position,
});

const between: FunctionDefinition = {
  name: "between",
  category: "operator",
  usage: "expr1 between expr2 and expr3",
  summary: "`expr1 >= expr2 and expr1 <= expr3`.",
  examples: [["5 between 1 and 9", "true"]],
  resolve: (args, site) => {
    if (args.length !== 3) throw wrongNumberOfArguments(site, "3", args.length);
    const low = call(">=", comparableOperands([args[0]!, args[1]!], { ...site, fn: ">=" }), site);
    const high = call("<=", comparableOperands([args[0]!, args[2]!], { ...site, fn: "<=" }), site);
    const replacement = call("and", [low, high], site);
    return { args, type: BOOLEAN, nullable: replacement.nullable, replacement };
  },
  nulls: "custom",
  evaluate: () => null,
};

export const COMPARISON_FUNCTIONS: readonly FunctionDefinition[] = [
  relation("=", ["=="], "expr1 = expr2", "Equality.", [["2 = 2", "true"]]),
  relation("<>", ["!="], "expr1 <> expr2", "Inequality.", [["1 <> 2", "true"]]),
  relation("<", [], "expr1 < expr2", "Less than.", [["1 < 2", "true"]]),
  relation("<=", [], "expr1 <= expr2", "Less than or equal.", [["2 <= 2", "true"]]),
  relation(">", [], "expr1 > expr2", "Greater than.", [["2 > 1", "true"]]),
  relation(">=", [], "expr1 >= expr2", "Greater than or equal.", [["2 >= 1", "true"]]),
  nullSafeEqual,
  membership,
  between,
];
