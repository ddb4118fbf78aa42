/**
 * Typed expressions as statements of a generated loop. The meaning is the interpreter's (interpret.ts, E1 and E2): a strict call nests the evaluation of each argument
 * in the test that those before are not null; `and`, `or`, CASE and `coalesce` nest what may not be evaluated.
 */
import type { TypedExpr } from "./ast.ts";
import { callCode } from "./compile-call.ts";
import { castCode } from "./compile-cast.ts";
import { memoCode } from "./compile-memo.ts";
import { assign, declare, fromBoxed, fromPlain, strictCode } from "./compile-parts.ts";
import { type Block, type Code, type Codegen, nullCode, truth } from "./codegen.ts";
import { windowStart } from "./functions/window.ts";

type Of<K extends TypedExpr["kind"]> = Extract<TypedExpr, { kind: K }>;

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
  if (e.kind === "literal" || e.kind === "slot") return computedCode(g, block, e);
  const shape = g.shapes.of(g, e);
  const known = shape < 0 ? undefined : block.computed(shape);
  if (known !== undefined) return known;
  const code = memoCode(g, block, e) ?? computedCode(g, block, e);
  if (shape >= 0) block.rememberComputed(shape, code);
  return code;
};

const computedCode = (g: Codegen, block: Block, e: TypedExpr): Code => {
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
