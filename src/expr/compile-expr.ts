/**
 * Typed expressions as statements of a generated loop. The meaning is the interpreter's (interpret.ts, E1 and E2): a strict call nests the evaluation of each argument
 * in the test that those before are not null; `and`, `or`, CASE and `coalesce` nest what may not be evaluated.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { safeLong } from "./arithmetic.ts";
import type { TypedExpr } from "./ast.ts";
import { type Cast, castFunction } from "./cast.ts";
import { castCode } from "./compile-cast.ts";
import { callCode } from "./compile-call.ts";
import { memoCode } from "./compile-memo.ts";
import { type Block, boxed, type Code, type Codegen, nullCode, truth, zeroOf } from "./codegen.ts";
import type { EvaluationContext } from "./contract.ts";
import { windowStart } from "./functions/window.ts";

type Of<K extends TypedExpr["kind"]> = Extract<TypedExpr, { kind: K }>;

/** G3: a long that came from outside the safe kernels. */
export const safeOrNull = (x: Value): Value => (x === null ? null : safeLong(x as number | bigint));

/** A JS expression of a value that may be `null`, as code; longs are checked in safe mode. */
export const fromBoxed = (g: Codegen, block: Block, source: string, type: DataType): Code => {
  const value = g.fresh("t");
  const checked = type.kind === "long" && !g.exact ? `${g.bind(safeOrNull)}(${source})` : source;
  block.line(`const ${value} = ${checked};`);
  return { value, isNull: `(${value} === null)` };
};

/** A JS expression of a value that is never null, as code. */
export const fromPlain = (g: Codegen, block: Block, source: string): Code => {
  const value = g.fresh("t");
  block.line(`const ${value} = ${source};`);
  return { value, isNull: undefined };
};

/** Declares a result that inner blocks assign; null until they do when `startNull`. */
export const declare = (
  g: Codegen,
  block: Block,
  type: DataType,
  startNull: boolean,
): { value: string; isNull: string } => {
  const value = g.fresh("v");
  const isNull = g.fresh("n");
  block.line(`let ${value} = ${zeroOf(type)}, ${isNull} = ${startNull};`);
  return { value, isNull };
};

export const assign = (block: Block, to: { value: string; isNull: string }, from: Code): void => {
  if (from.isNull === "true") return block.line(`${to.isNull} = true;`);
  block.line(`${to.value} = ${from.value}; ${to.isNull} = ${from.isNull ?? "false"};`);
};

/**
 * A strict call: `finish` runs where no argument is null and gives the result's code. Arguments after a null one are not evaluated.
 */
export const strictCode = (
  g: Codegen,
  block: Block,
  args: readonly TypedExpr[],
  type: DataType,
  finish: (values: readonly string[], inner: Block) => Code,
): Code => {
  const values: string[] = [];
  let result: { value: string; isNull: string } | undefined;
  let current = block;
  let opened = 0;
  let never = false;
  for (const a of args) {
    const c =
      a.kind === "lambda" ? { value: lambdaCode(g, current, a), isNull: undefined } : exprCode(g, current, a);
    values.push(c.value);
    if (c.isNull === undefined) continue;
    if (c.isNull === "true") {
      never = true;
      break;
    }
    result ??= declare(g, block, type, true);
    current = current.open(`if (!${c.isNull})`);
    opened++;
  }
  const code = never ? nullCode(type) : finish(values, current);
  if (result === undefined) return code;
  assign(current, result, code);
  for (; opened > 0; opened--) current.close();
  return result;
};

/** A lambda as a JS function of boxed values, closed over the row. Gives its name. */
export const lambdaCode = (g: Codegen, block: Block, e: Of<"lambda">): string => {
  const name = g.fresh("f");
  const names = e.parameters.map(() => g.fresh("p"));
  const inner = block.open(`const ${name} = (${names.join(", ")}) =>`);
  e.parameters.forEach((p, i) => {
    g.variables.set(p.id, fromBoxed(g, inner, names[i]!, p.type));
  });
  const body = exprCode(g, inner, e.body);
  inner.line(`return ${boxed(body)};`);
  block.close();
  return name;
};

const literalCode = (g: Codegen, e: Of<"literal">): Code => {
  if (e.value === null) return nullCode(e.type);
  if (typeof e.value === "bigint" && e.type.kind === "long") g.unsafe ||= !g.exact;
  if (typeof e.value === "boolean") return { value: String(e.value), isNull: undefined };
  return { value: g.bind(e.value), isNull: undefined };
};

const slotCode = (g: Codegen, block: Block, e: Of<"slot">): Code => {
  const column = g.columns[e.index];
  if (column === undefined) throw new Error(`the slot ${e.index} (${e.name}) is outside the batch`);
  return "input" in column ? g.read(column.input, e.type, block) : column.code;
};

const caseCode = (g: Codegen, block: Block, e: Of<"case">): Code => {
  const result = declare(g, block, e.type, true);
  let current = block;
  let opened = 0;
  for (const [condition, value] of e.branches) {
    const c = exprCode(g, current, condition);
    const yes = current.open(`if (${truth(c)})`);
    assign(yes, result, exprCode(g, yes, value));
    yes.line("} else {");
    // The else part is a scope of its own: what `yes` read is not visible there.
    current = current.inner();
    opened++;
  }
  assign(current, result, exprCode(g, current, e.otherwise));
  for (; opened > 0; opened--) current.close();
  return result;
};

/** `window(…).start` and `.end` without making the struct. */
const windowFieldCode = (g: Codegen, block: Block, e: Of<"field">): Code | undefined => {
  const w = e.child;
  if (w.kind !== "call" || w.fn !== "window" || w.args.slice(1).some((a) => a.kind !== "literal"))
    return undefined;
  const [size, slide, start] = w.args.slice(1).map((a) => (a as Of<"literal">).value as number) as [
    number,
    number,
    number,
  ];
  const whole = slide % 1000 === 0 && start % 1000 === 0;
  return strictCode(g, block, [w.args[0]!], e.type, ([ms], inner) => {
    const [s, o] = [g.bind(slide / 1000), g.bind(start / 1000)];
    const from = whole
      ? `Math.floor((${ms} - ${o}) / ${s}) * ${s} + ${o}`
      : `${g.bind(windowStart)}(${ms}, ${g.bind(slide)}, ${g.bind(start)})`;
    return fromPlain(g, inner, e.index === 0 ? from : `${from} + ${g.bind(size / 1000)}`);
  });
};

const fieldCode = (g: Codegen, block: Block, e: Of<"field">): Code =>
  windowFieldCode(g, block, e) ??
  strictCode(g, block, [e.child], e.type, ([s], inner) => fromBoxed(g, inner, `${s}[${e.index}]`, e.type));

/** The code of an expression; statements go into `block`. */
export const exprCode = (g: Codegen, block: Block, e: TypedExpr): Code => {
  const memo = memoCode(g, block, e);
  if (memo !== undefined) return memo;
  switch (e.kind) {
    case "literal":
      return literalCode(g, e);
    case "slot":
      return slotCode(g, block, e);
    case "variable": {
      const known = g.variables.get(e.id);
      if (known === undefined) throw new Error(`the lambda variable ${e.name} is not bound`);
      return known;
    }
    case "call":
      return callCode(g, block, e);
    case "cast":
      return castCode(g, block, e);
    case "case":
      return caseCode(g, block, e);
    case "field":
      return fieldCode(g, block, e);
    case "attribute":
      throw new Error(`the column ${e.name} is not bound to a batch`);
    case "lambda":
      throw new Error("a lambda stands outside a function call");
  }
};

/** A cast by its row function, made once a run (it may depend on the zone). */
export const castRow = (g: Codegen, from: DataType, to: DataType, tryCast: boolean): string => {
  const make = (context: EvaluationContext): Cast => castFunction(from, to, { ...context, tryCast });
  const name = g.fresh("c");
  g.prelude.push(`const ${name} = ${g.bind(make)}(ctx);`);
  return name;
};
