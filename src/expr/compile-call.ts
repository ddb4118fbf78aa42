/**
 * Compiled calls. Logic, null tests, `in` and `coalesce` are written out; a strict function with an emitted form becomes that; all others are called through
 * their row form with boxed values.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { safeLong } from "./arithmetic.ts";
import type { TypedCall, TypedExpr } from "./ast.ts";
import { assign, declare, fromBoxed, fromPlain, lambdaCode, strictCode } from "./compile-parts.ts";
import { type Block, boxed, type Code, type Codegen } from "./codegen.ts";
import type { EvaluationContext } from "./contract.ts";
import type { BoundCall, FunctionDefinition } from "./function.ts";
import { lookupFunction } from "./registry.ts";
import { callScalar } from "./user-call.ts";
import { equalValues } from "./value-order.ts";

/** True where a boolean alone decides: `false` for and, `true` for or. */
const decides = (c: Code, or: boolean): string => {
  const value = or ? c.value : `!${c.value}`;
  return c.isNull === undefined ? value : `(!${c.isNull} && ${value})`;
};

const logicCode = (g: Codegen, block: Block, e: TypedCall): Code => {
  const or = e.fn === "or";
  const a = g.expr(block, e.args[0]!);
  const aside = block.detached();
  const b = g.expr(aside, e.args[1]!);
  if (aside.lines.length === 0 && a.isNull === undefined && b.isNull === undefined)
    return fromPlain(g, block, `${a.value} ${or ? "||" : "&&"} ${b.value}`);
  const result = declare(g, block, e.type, false);
  block.line(`${result.value} = ${or};`);
  block.line(`if (!${parenthesized(decides(a, or))}) {`);
  block.lines.push(...aside.lines);
  const unknown = [a.isNull, b.isNull].filter((n) => n !== undefined).join(" || ");
  const settle = `${result.value} = ${!or};${unknown === "" ? "" : ` ${result.isNull} = ${unknown};`}`;
  block.line(`if (!${parenthesized(decides(b, or))}) { ${settle} }`);
  block.close();
  return unknown === "" ? { value: result.value, isNull: undefined } : result;
};

const parenthesized = (s: string): string => (s.startsWith("(") ? s : `(${s})`);

const nullTest = (g: Codegen, block: Block, e: TypedCall, wanted: boolean): Code => {
  const c = g.expr(block, e.args[0]!);
  if (c.isNull === undefined) return { value: String(!wanted), isNull: undefined };
  return fromPlain(g, block, wanted ? c.isNull : `!${c.isNull}`);
};

const coalesceCode = (g: Codegen, block: Block, e: TypedCall): Code => {
  const first = g.expr(block, e.args[0]!);
  if (first.isNull === undefined || e.args.length === 1) return first;
  const result = declare(g, block, e.type, true);
  assign(block, result, first);
  let current = block;
  let opened = 0;
  for (const a of e.args.slice(1)) {
    current = current.open(`if (${result.isNull})`);
    opened++;
    assign(current, result, g.expr(current, a));
  }
  for (; opened > 0; opened--) current.close();
  return result;
};

/** Types whose non-null values are equal exactly when a Set says so (NaN is itself, -0 is 0). */
const SET_KINDS = new Set<DataType["kind"]>([
  "boolean",
  "byte",
  "short",
  "int",
  "long",
  "float",
  "double",
  "decimal",
  "string",
  "date",
  "timestamp",
  "timestamp_ntz",
]);

const inCode = (g: Codegen, block: Block, e: TypedCall): Code => {
  const [value, ...list] = e.args as readonly [TypedExpr, ...TypedExpr[]];
  const literals = list.every((a) => a.kind === "literal");
  return strictCode(g, block, [value], e.type, ([x], inner) => {
    if (!literals || !SET_KINDS.has(value.type.kind))
      return searchCode(g, inner, x!, value.type, list, e.type);
    const items = list.map((a) => (a as { value: Value }).value);
    const set = g.bind(new Set(items.filter((v) => v !== null)));
    const found = fromPlain(g, inner, `${set}.has(${x})`);
    return items.includes(null) ? { value: found.value, isNull: `(!${found.value})` } : found;
  });
};

/** The list item by item: those after a match are not evaluated. */
const searchCode = (
  g: Codegen,
  block: Block,
  x: string,
  type: DataType,
  list: readonly TypedExpr[],
  result: DataType,
): Code => {
  const equal = g.bind(equalValues(type));
  const r = declare(g, block, result, false);
  let current = block;
  let opened = 0;
  for (const a of list) {
    const c = g.expr(current, a);
    if (c.isNull === "true") {
      current.line(`${r.isNull} = true;`);
      continue;
    }
    if (c.isNull !== undefined) current.line(`if (${c.isNull}) ${r.isNull} = true; else`);
    current.line(`if (${equal}(${x}, ${c.value})) { ${r.value} = true; }`);
    current = current.open(`if (!${r.value})`);
    opened++;
  }
  for (; opened > 0; opened--) current.close();
  return { value: r.value, isNull: fromPlain(g, block, `${r.isNull} && !${r.value}`).value };
};

const nullSafeEqualCode = (g: Codegen, block: Block, e: TypedCall): Code => {
  const a = g.expr(block, e.args[0]!);
  const b = g.expr(block, e.args[1]!);
  const test = `${g.bind(equalValues(e.args[0]!.type))}(${a.value}, ${b.value})`;
  if (a.isNull === undefined && b.isNull === undefined) return fromPlain(g, block, test);
  const [an, bn] = [a.isNull ?? "false", b.isNull ?? "false"];
  return fromPlain(g, block, `${an} ? ${bn} : !${bn} && ${test}`);
};

/** What `evaluate` is told, made once a run. */
const boundCall = (g: Codegen, e: TypedCall): string => {
  const argTypes = e.args.map((a) => a.type);
  const make = (context: EvaluationContext): BoundCall => ({ argTypes, type: e.type, context, owner: e });
  const name = g.fresh("k");
  g.prelude.push(`const ${name} = ${g.bind(make)}(ctx);`);
  return name;
};

/** Operators have kernels of their own for safe longs; the results of all others are checked. */
const OWN_KERNELS = new Set(["+", "-", "*", "%", "div"]);

const emitted = (
  g: Codegen,
  e: TypedCall,
  d: FunctionDefinition,
  values: readonly string[],
): string | undefined => {
  const argTypes = e.args.map((a) => a.type);
  const source = d.emit?.(values, { argTypes, type: e.type, safeLongs: !g.exact }, g.bind);
  if (source === undefined || e.type.kind !== "long" || g.exact) return source;
  return OWN_KERNELS.has(e.fn) && e.args.length === 2 ? source : `${g.bind(safeLong)}(${source})`;
};

const strictFunction = (g: Codegen, block: Block, e: TypedCall, d: FunctionDefinition): Code =>
  strictCode(g, block, e.args, e.type, (values, inner) => {
    const source = emitted(g, e, d, values);
    if (source !== undefined) return fromPlain(g, inner, source);
    return fromBoxed(g, inner, `${g.bind(d.evaluate)}([${values.join(", ")}], ${boundCall(g, e)})`, e.type);
  });

const customFunction = (g: Codegen, block: Block, e: TypedCall, d: FunctionDefinition): Code => {
  const values = e.args.map((a) => (a.kind === "lambda" ? lambdaCode(g, block, a) : boxed(g.expr(block, a))));
  return fromBoxed(g, block, `${g.bind(d.evaluate)}([${values.join(", ")}], ${boundCall(g, e)})`, e.type);
};

const udfCode = (g: Codegen, block: Block, e: TypedCall): Code => {
  const values = e.args.map((a) => boxed(g.expr(block, a)));
  const udf = e.udf!;
  const types = e.args.map((a) => a.type);
  const call = g.bind((args: readonly Value[]) => callScalar(udf, args, types));
  return fromBoxed(g, block, `${call}([${values.join(", ")}])`, e.type);
};

/** The code of a call. */
export const callCode = (g: Codegen, block: Block, e: TypedCall): Code => {
  if (e.udf !== undefined) return udfCode(g, block, e);
  switch (e.fn) {
    case "and":
    case "or":
      return logicCode(g, block, e);
    case "isnull":
      return nullTest(g, block, e, true);
    case "isnotnull":
      return nullTest(g, block, e, false);
    case "coalesce":
      return coalesceCode(g, block, e);
    case "in":
      return inCode(g, block, e);
    case "<=>":
      return nullSafeEqualCode(g, block, e);
  }
  const d = lookupFunction(e.fn);
  if (d === undefined) throw new Error(`the function ${e.fn} is not registered`);
  return d.nulls === "strict" ? strictFunction(g, block, e, d) : customFunction(g, block, e, d);
};
