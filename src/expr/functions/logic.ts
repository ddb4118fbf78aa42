/** Three-valued logic and tests for null. `and` and `or` do not evaluate their second operand when the first decides. */
import { BOOLEAN, DOUBLE, FLOAT } from "../../core/data-type.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo } from "../coercion.ts";
import type { CallSite, Emit, Evaluate, FunctionDefinition, TypeRule } from "../function.ts";
import { any, numeric, signature } from "../rules.ts";
import { binaryDifferentTypes, binaryWrongType, wrongNumberOfArguments } from "../type-errors.ts";

const logical: TypeRule = (raw, site: CallSite) => {
  if (raw.length !== 2) throw wrongNumberOfArguments(site, "2", raw.length);
  // A string or a bare NULL becomes a boolean beside a boolean.
  const some = raw.some((a) => a.type.kind === "boolean") || raw.every((a) => a.type.kind === "null");
  const args = raw.map((a) =>
    a.type.kind === "null" || (some && a.type.kind === "string") ? castTo(a, BOOLEAN) : a,
  );
  const [a, b] = args as [TypedExpr, TypedExpr];
  if (a.type.kind !== b.type.kind) throw binaryDifferentTypes(site, args);
  if (a.type.kind !== "boolean") throw binaryWrongType(site, args, `"BOOLEAN"`);
  return { args, type: BOOLEAN, nullable: args.some((x) => x.nullable) };
};

const evaluateAnd: Evaluate = ([a, b]) => {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
};
const evaluateOr: Evaluate = ([a, b]) => {
  if (a === true || b === true) return true;
  return a === null || b === null ? null : false;
};

const emitNot: Emit = ([a]) => `(!${a})`;

const test = (
  name: string,
  aliases: readonly string[],
  usage: string,
  summary: string,
  examples: readonly (readonly [string, string])[],
  evaluate: Evaluate,
  of: "any" | "boolean" = "any",
): FunctionDefinition => ({
  name,
  aliases,
  category: "conditional",
  usage,
  summary,
  examples,
  resolve: signature([of === "any" ? any : BOOLEAN], BOOLEAN, { nullable: false }),
  nulls: "custom",
  evaluate,
});

const nan: TypeRule = signature([numeric], BOOLEAN, {
  nullable: false,
  check: (args) => args.map((a) => (a.type.kind === "float" ? castTo(a, FLOAT) : castTo(a, DOUBLE))),
});

export const LOGIC_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "and",
    category: "operator",
    usage: "expr1 and expr2",
    summary: "Logical and, three-valued.",
    examples: [["true and false", "false"]],
    resolve: logical,
    nulls: "custom",
    evaluate: evaluateAnd,
  },
  {
    name: "or",
    category: "operator",
    usage: "expr1 or expr2",
    summary: "Logical or, three-valued.",
    examples: [["true or false", "true"]],
    resolve: logical,
    nulls: "custom",
    evaluate: evaluateOr,
  },
  {
    name: "not",
    aliases: ["!"],
    category: "operator",
    usage: "not expr",
    summary: "Logical negation; null stays null.",
    examples: [["not true", "false"]],
    resolve: signature([BOOLEAN], BOOLEAN),
    nulls: "strict",
    evaluate: ([a]) => a !== true,
    emit: emitNot,
  },
  test(
    "isnull",
    ["is null"],
    "isnull(expr)",
    "Whether it is null.",
    [["isnull(1)", "false"]],
    ([a]) => a === null,
  ),
  test(
    "isnotnull",
    ["is not null"],
    "isnotnull(expr)",
    "Whether it is not null.",
    [["isnotnull(1)", "true"]],
    ([a]) => a !== null,
  ),
  test(
    "istrue",
    [],
    "istrue(expr)",
    "True only for true.",
    [["istrue(NULL)", "false"]],
    ([a]) => a === true,
    "boolean",
  ),
  test(
    "isfalse",
    [],
    "isfalse(expr)",
    "True only for false.",
    [["isfalse(NULL)", "false"]],
    ([a]) => a === false,
    "boolean",
  ),
  {
    name: "isnan",
    category: "conditional",
    usage: "isnan(expr)",
    summary: "Whether it is NaN; false for null.",
    examples: [["isnan(cast('NaN' as double))", "true"]],
    resolve: nan,
    nulls: "custom",
    evaluate: ([a]) => a !== null && Number.isNaN(a as number),
  },
];
