/** Building blocks of compiled expressions: strict calls, results assigned in inner blocks, lambdas, casts by their row function. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { safeLong } from "./arithmetic.ts";
import type { TypedExpr } from "./ast.ts";
import { type Cast, castFunction } from "./cast.ts";
import { type Block, boxed, type Code, type Codegen, nullCode, zeroOf } from "./codegen.ts";
import type { EvaluationContext } from "./contract.ts";

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
      a.kind === "lambda" ? { value: lambdaCode(g, current, a), isNull: undefined } : g.expr(current, a);
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
  const body = g.expr(inner, e.body);
  inner.line(`return ${boxed(body)};`);
  block.close();
  return name;
};

/** A cast by its row function, made once a run (it may depend on the zone). */
export const castRow = (g: Codegen, from: DataType, to: DataType, tryCast: boolean): string => {
  const make = (context: EvaluationContext): Cast => castFunction(from, to, { ...context, tryCast });
  const name = g.fresh("c");
  g.prelude.push(`const ${name} = ${g.bind(make)}(ctx);`);
  return name;
};
