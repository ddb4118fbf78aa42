/** Conditional functions. All but `coalesce` are rewritten to CASE or coalesce, so that only what is needed is evaluated. */
import { BOOLEAN, type DataType, DOUBLE, NULL } from "../../core/data-type.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonType } from "../coercion.ts";
import type { CallSite, FunctionDefinition, Resolution, TypeRule } from "../function.ts";
import { same, signature } from "../rules.ts";
import { differentTypes, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { comparableOperands } from "./comparison.ts";

const replaced = (replacement: TypedExpr): Resolution => ({
  args: [],
  type: replacement.type,
  nullable: replacement.nullable,
  replacement,
});

const common = (args: readonly TypedExpr[], site: CallSite): DataType => {
  const type = commonType(args.map((a) => a.type));
  if (type === undefined) throw differentTypes(site, args);
  return type;
};

/** CASE WHEN condition THEN yes ELSE no, branches brought to one type. */
const choose = (condition: TypedExpr, yes: TypedExpr, no: TypedExpr, site: CallSite): TypedExpr => {
  const type = common([yes, no], site);
  const [a, b] = [castTo(yes, type), castTo(no, type)];
  return {
    kind: "case",
    branches: [[condition, a]],
    otherwise: b,
    type,
    nullable: a.nullable || b.nullable,
    position: site.position,
  };
};

const predicate = (fn: string, args: readonly TypedExpr[], nullable: boolean, site: CallSite): TypedExpr => ({
  kind: "call",
  fn,
  args,
  type: BOOLEAN,
  nullable,
  position: site.position,
});

const count = (args: readonly TypedExpr[], n: number, site: CallSite): void => {
  if (args.length !== n) throw wrongNumberOfArguments(site, String(n), args.length);
};

const ifRule: TypeRule = (args, site) => {
  count(args, 3, site);
  const condition = args[0]!.type.kind === "null" ? castTo(args[0]!, BOOLEAN) : args[0]!;
  if (condition.type.kind !== "boolean") throw unexpectedInput(site, args, 0, `"BOOLEAN"`);
  return replaced(choose(condition, args[1]!, args[2]!, site));
};

/** when(condition, value[, condition, value …][, otherwise]): CASE as a call. */
const whenRule: TypeRule = (args, site) => {
  if (args.length < 2) throw wrongNumberOfArguments(site, "> 1", args.length);
  const pairs = Math.floor(args.length / 2);
  const condition = (i: number): TypedExpr => {
    const given = args[2 * i]!;
    if (given.type.kind !== "boolean") throw unexpectedInput(site, args, 2 * i, `"BOOLEAN"`);
    return given;
  };
  const conditions = Array.from({ length: pairs }, (_, i) => condition(i));
  const last: TypedExpr =
    args.length % 2 === 1 ? args.at(-1)! : { kind: "literal", value: null, type: NULL, nullable: true };
  const values = [...Array.from({ length: pairs }, (_, i) => args[2 * i + 1]!), last];
  const type = common(values, site);
  const cast = values.map((v) => castTo(v, type));
  return replaced({
    kind: "case",
    branches: conditions.map((c, i) => [c, cast[i]!]),
    otherwise: cast.at(-1)!,
    type,
    nullable: cast.some((v) => v.nullable),
    position: site.position,
  });
};

const nvl2Rule: TypeRule = (args, site) => {
  count(args, 3, site);
  return replaced(choose(predicate("isnotnull", [args[0]!], false, site), args[1]!, args[2]!, site));
};

const nullIfRule: TypeRule = (args, site) => {
  count(args, 2, site);
  const equal = comparableOperands(args, { ...site, fn: "=" });
  const condition = predicate(
    "=",
    equal,
    equal.some((a) => a.nullable),
    site,
  );
  const nothing: TypedExpr = { kind: "literal", value: null, type: args[0]!.type, nullable: true };
  return replaced(choose(condition, nothing, args[0]!, site));
};

const nullIfZeroRule: TypeRule = (args, site) => {
  count(args, 1, site);
  const zero: TypedExpr = { kind: "literal", value: 0, type: { kind: "int" }, nullable: false };
  return nullIfRule([args[0]!, zero], site);
};

const allNullable = (args: readonly TypedExpr[]): boolean => args.every((a) => a.nullable);

const coalesceRule = same(0, { nullable: allNullable });

const nvlRule: TypeRule = (args, site) => {
  count(args, 2, site);
  const r = coalesceRule(args, site);
  return replaced({ kind: "call", fn: "coalesce", ...r, position: site.position });
};

const zeroIfNullRule: TypeRule = (args, site) => {
  count(args, 1, site);
  return nvlRule([args[0]!, { kind: "literal", value: 0, type: { kind: "int" }, nullable: false }], site);
};

/** Of two floats a float, else of two doubles; the second is evaluated only when the first is NaN. */
const nanvlRule: TypeRule = (args, site) => {
  count(args, 2, site);
  const number = args.every((a) => a.type.kind === "float") ? args[0]!.type : DOUBLE;
  const [a, b] = signature([number, number], number)(args, site).args as readonly [TypedExpr, TypedExpr];
  return replaced(choose(predicate("isnan", [a], false, site), b, a, site));
};

const rewritten = (
  name: string,
  aliases: readonly string[],
  usage: string,
  summary: string,
  examples: readonly (readonly [string, string])[],
  resolve: TypeRule,
): FunctionDefinition => ({
  name,
  aliases,
  category: "conditional",
  usage,
  summary,
  examples,
  resolve,
  nulls: "custom",
  evaluate: () => null,
});

export const CONDITIONAL_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "coalesce",
    category: "conditional",
    usage: "coalesce(expr1, expr2, …)",
    summary: "The first argument that is not null; later ones are not evaluated.",
    examples: [["coalesce(NULL, 1, NULL)", "1"]],
    resolve: coalesceRule,
    nulls: "custom",
    evaluate: (args) => (args.find((a) => a !== null) ?? null) as never,
  },
  rewritten(
    "if",
    [],
    "if(condition, yes, no)",
    "`yes` when the condition is true, else `no`.",
    [["if(1 < 2, 'a', 'b')", "a"]],
    ifRule,
  ),
  rewritten(
    "when",
    [],
    "when(condition, value[, condition, value, …][, otherwise])",
    "CASE as a call.",
    [["when(1 > 2, 'a', 'b')", "b"]],
    whenRule,
  ),
  rewritten(
    "nvl",
    ["ifnull"],
    "nvl(expr1, expr2)",
    "`expr2` when `expr1` is null.",
    [["nvl(NULL, 'x')", "x"]],
    nvlRule,
  ),
  rewritten(
    "nvl2",
    [],
    "nvl2(expr1, expr2, expr3)",
    "`expr2` when `expr1` is not null, else `expr3`.",
    [["nvl2(NULL, 2, 1)", "1"]],
    nvl2Rule,
  ),
  rewritten(
    "nullif",
    [],
    "nullif(expr1, expr2)",
    "Null when both are equal, else `expr1`.",
    [["nullif(2, 1)", "2"]],
    nullIfRule,
  ),
  rewritten(
    "nullifzero",
    [],
    "nullifzero(expr)",
    "Null when it is zero.",
    [["nullifzero(2)", "2"]],
    nullIfZeroRule,
  ),
  rewritten(
    "zeroifnull",
    [],
    "zeroifnull(expr)",
    "Zero when it is null.",
    [["zeroifnull(NULL)", "0"]],
    zeroIfNullRule,
  ),
  rewritten(
    "nanvl",
    [],
    "nanvl(a, b)",
    "`b` when `a` is NaN, else `a`.",
    [["nanvl(CAST('NaN' AS DOUBLE), 123D)", "123.0"]],
    nanvlRule,
  ),
];
