/**
 * The compiler: a fused chain of filters and projections, or a list of expressions, as one generated loop over columns.
 *
 * K1: a loop is generated for what it meets: layouts, presence of nulls, a selection, small dictionaries. Variants are kept per chain.
 * K2: longs run as JS numbers (safe mode); a result beyond ±2^53 runs the batch again in exact mode, whose output vectors switch layout when they must.
 * K3: a filter only makes a selection; computed columns are written at their row's physical place, so that untouched ones are shared as they are.
 * K4: the conjuncts of a filter are tests of their own: a row that fails one does not reach the next.
 */
import { type Batch, batchOf } from "../core/batch.ts";
import { field } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import { Utf8Strings } from "../core/utf8-strings.ts";
import { layoutOf, takeVector, type Vector } from "../core/vector.ts";
import { UNSAFE_LONG } from "./arithmetic.ts";
import type { TypedExpr } from "./ast.ts";
import { conjuncts, locateFailure } from "./chain.ts";
import { Block, type ChainColumn, type Code, Codegen, type InputColumn, truth } from "./codegen.ts";
import { exprCode } from "./compile-expr.ts";
import { foldConstants } from "./fold.ts";
import { outputColumn } from "./compile-output.ts";
import type { CalcStep, CompileCalc, CompiledCalc, CompileExprs, EvaluationContext } from "./contract.ts";

/** Variants kept of one chain; beyond, the oldest is dropped. */
const VARIANTS_MAX = 32;
/** A dictionary is small when it has at most this share of the rows. */
const MEMO_SHARE = 16;
/** Batches that stay in exact mode after one that left the safe range. */
const EXACT_STAY_BATCHES = 64;

interface Loop {
  readonly source: string;
  readonly run: (
    length: number,
    selection: Int32Array | undefined,
    cols: readonly Vector[],
    context: EvaluationContext,
  ) => { readonly kept: Int32Array | undefined; readonly vectors: readonly Vector[] };
}

/** A column that no expression reads does not matter to the code. */
const UNREAD: InputColumn = { layout: "any", nulls: false, memo: false, bytes: false };

/** What the loop is generated for. */
interface Variant {
  readonly inputs: readonly InputColumn[];
  readonly selected: boolean;
  readonly exact: boolean;
}

const slotsOf = (e: TypedExpr, into: Set<number>): void => {
  switch (e.kind) {
    case "slot":
      into.add(e.index);
      break;
    case "cast":
    case "field":
      slotsOf(e.child, into);
      break;
    case "call":
      e.args.forEach((a) => slotsOf(a, into));
      break;
    case "case":
      e.branches.forEach(([c, v]) => (slotsOf(c, into), slotsOf(v, into)));
      slotsOf(e.otherwise, into);
      break;
    case "lambda":
      slotsOf(e.body, into);
      break;
    case "attribute":
    case "literal":
    case "variable":
      break;
  }
};

/** For each projection of a chain: which of its columns anything after it reads. */
const usedColumns = (
  steps: readonly CalcStep[],
  outputs: number,
): readonly (ReadonlySet<number> | undefined)[] => {
  const used: (ReadonlySet<number> | undefined)[] = [];
  let needed = new Set(Array.from({ length: outputs }, (_, i) => i));
  for (let s = steps.length - 1; s >= 0; s--) {
    const step = steps[s]!;
    if (step.kind === "filter") slotsOf(step.condition, needed);
    else {
      used[s] = needed;
      const before = new Set<number>();
      step.exprs.forEach((e, i) => needed.has(i) && slotsOf(e, before));
      needed = before;
    }
  }
  return used;
};

const filterCode = (g: Codegen, block: Block, condition: TypedExpr): void => {
  for (const part of conjuncts(condition)) block.line(`if (!(${truth(exprCode(g, block, part))})) continue;`);
};

const projectCode = (
  g: Codegen,
  block: Block,
  exprs: readonly TypedExpr[],
  used: ReadonlySet<number>,
): void => {
  g.columns = exprs.map((e, i): ChainColumn => {
    if (e.kind === "slot") return g.columns[e.index]!;
    if (!used.has(i)) return { code: { value: "undefined", isNull: undefined } };
    return { code: exprCode(g, block, e) };
  });
};

/** Writes the computed output columns; gives for each output the source of its vector. */
const outputCode = (
  g: Codegen,
  block: Block,
  schema: Schema,
  at: string,
  rows: string,
): readonly (() => string)[] => {
  const made = new Map<Code, () => string>();
  return g.columns.map((column, i) => {
    if ("input" in column) return () => `cols[${column.input}]`;
    let vector = made.get(column.code);
    if (vector === undefined) {
      const name = g.fresh("r");
      const out = outputColumn(g, schema.fields[i]!.type, rows);
      out.write(block, column.code, at);
      let declared = false;
      // One vector for an expression that several output columns show.
      vector = () => (declared ? name : ((declared = true), `${name} = ${out.vector()}`));
      g.prelude.push(`let ${name};`);
      made.set(column.code, vector);
    }
    return vector;
  });
};

const assemble = (
  g: Codegen,
  body: readonly string[],
  filtered: boolean,
  variant: Variant,
  vectors: readonly (() => string)[],
): string =>
  [
    `return function run(length, selection, cols, ctx) {`,
    `const n = ${variant.selected ? "selection.length" : "length"};`,
    ...g.prelude,
    ...(filtered ? ["const kept = new Int32Array(n); let m = 0;"] : []),
    ...(body.length === 0
      ? []
      : [
          "for (let k = 0; k < n; k++) {",
          `const i = ${variant.selected ? "selection[k]" : "k"};`,
          ...body,
          "}",
        ]),
    `return { kept: ${filtered ? "kept.slice(0, m)" : "undefined"}, vectors: [${vectors.map((v) => v()).join(", ")}] };`,
    "}",
  ].join("\n");

const finish = (g: Codegen, source: string): Loop => {
  const names = g.bound.map((_, i) => `b${i}`);
  // G1: `source` holds names, operators and layout names made here only; values come in as arguments.
  // oxlint-disable-next-line typescript/no-implied-eval -- generated loops are what this file is for
  const make = new Function(...names, `"use strict";\n${source}`) as (...bound: unknown[]) => Loop["run"];
  return { source, run: make(...g.bound) };
};

const generateChain = (steps: readonly CalcStep[], output: Schema, variant: Variant): Loop | undefined => {
  const g = new Codegen(variant.inputs, variant.exact, exprCode);
  const block = new Block([]);
  const used = usedColumns(steps, output.fields.length);
  for (const [s, step] of steps.entries()) {
    if (step.kind === "filter") filterCode(g, block, step.condition);
    else projectCode(g, block, step.exprs, used[s]!);
  }
  const vectors = outputCode(g, block, output, "i", "length");
  const filtered = steps.some((s) => s.kind === "filter");
  if (filtered) block.line("kept[m++] = i;");
  if (g.unsafe) return undefined;
  return finish(g, assemble(g, block.lines, filtered, variant, vectors));
};

const generateExprs = (exprs: readonly TypedExpr[], variant: Variant): Loop | undefined => {
  const g = new Codegen(variant.inputs, variant.exact, exprCode);
  const block = new Block([]);
  projectCode(g, block, exprs, new Set(exprs.keys()));
  const schema = schemaOf(exprs.map((e, i) => field(String(i), e.type)));
  const vectors = outputCode(g, block, schema, "k", "n");
  if (g.unsafe) return undefined;
  return finish(g, assemble(g, block.lines, false, variant, vectors));
};

const keyOf = (v: Variant): string =>
  `${v.exact ? "E" : "S"}${v.selected ? "s" : "-"}${v.inputs.map((c) => `${c.layout}${c.nulls ? "?" : ""}${c.memo ? "m" : ""}${c.bytes ? "b" : ""}`).join(",")}`;

/** Keeps the loops of one chain by variant and chooses the mode (K1, K2). */
class Loops {
  readonly #generate: (variant: Variant) => Loop | undefined;
  readonly #slots: ReadonlySet<number>;
  readonly #loops = new Map<string, Loop | null>();
  #exactFor = 0;
  #source = "";

  constructor(slots: ReadonlySet<number>, generate: (variant: Variant) => Loop | undefined) {
    this.#generate = generate;
    this.#slots = slots;
  }

  get source(): string {
    return this.#source;
  }

  #describe(batch: Batch): readonly InputColumn[] {
    const rows = batch.selection?.length ?? batch.length;
    return batch.columns.map((v, i) =>
      this.#slots.has(i)
        ? {
            layout: v.layout,
            nulls: v.nulls !== undefined,
            memo: v.layout === "dict" && v.dictionary.length * MEMO_SHARE <= rows,
            bytes: v.layout === "dict" && v.dictionary instanceof Utf8Strings,
          }
        : UNREAD,
    );
  }

  #loop(variant: Variant): Loop | null {
    const key = keyOf(variant);
    let loop = this.#loops.get(key);
    if (loop === undefined) {
      loop = this.#generate(variant) ?? null;
      if (this.#loops.size >= VARIANTS_MAX) this.#loops.delete(this.#loops.keys().next().value!);
      this.#loops.set(key, loop);
      if (loop !== null) this.#source = loop.source;
    }
    return loop;
  }

  run(batch: Batch, context: EvaluationContext): ReturnType<Loop["run"]> {
    const inputs = this.#describe(batch);
    const selected = batch.selection !== undefined;
    const wide = inputs.some((c, i) => c.layout === "i64" && this.#slots.has(i));
    if (!wide && this.#exactFor === 0) {
      const safe = this.#loop({ inputs, selected, exact: false });
      if (safe !== null) {
        try {
          return safe.run(batch.length, batch.selection, batch.columns, context);
        } catch (e) {
          if (e !== UNSAFE_LONG) throw e;
          this.#exactFor = EXACT_STAY_BATCHES;
        }
      }
    } else if (this.#exactFor > 0) this.#exactFor--;
    const exact = this.#loop({ inputs, selected, exact: true })!;
    return exact.run(batch.length, batch.selection, batch.columns, context);
  }
}

const outputSchema = (input: Schema, steps: readonly CalcStep[]): Schema => {
  let schema = input;
  for (const step of steps)
    if (step.kind === "project")
      schema = schemaOf(step.exprs.map((e, i) => field(step.names[i]!, e.type, e.nullable)));
  return schema;
};

/** What loops generated for a first batch of the usual layouts look like, for `explain("codegen")` before any ran. */
const typical = (schema: Schema, slots: ReadonlySet<number>): readonly InputColumn[] =>
  schema.fields.map((f, i) => ({
    layout: layoutOf(f.type),
    nulls: slots.has(i) && f.nullable,
    memo: false,
    bytes: false,
  }));

const selectionAfter = (batch: Batch, kept: Int32Array | undefined): Int32Array | undefined => {
  if (kept === undefined) return batch.selection;
  const before = batch.selection?.length ?? batch.length;
  return kept.length === before ? batch.selection : kept;
};

const foldStep = (s: CalcStep): CalcStep =>
  s.kind === "filter"
    ? { ...s, condition: foldConstants(s.condition) }
    : { ...s, exprs: s.exprs.map((e) => foldConstants(e)) };

/** Runs a loop; an error of a row gets its place in the text. */
const located = <T>(
  steps: readonly CalcStep[],
  batch: Batch,
  context: EvaluationContext,
  run: () => T,
): T => {
  try {
    return run();
  } catch (e) {
    throw e instanceof ExecutionError ? locateFailure(e, steps, batch, context) : e;
  }
};

/** See the contract: a fused chain of filters and projections. */
export const compileCalc: CompileCalc = (input, given) => {
  const steps = given.map(foldStep);
  const output = outputSchema(input, steps);
  const slots = new Set<number>();
  // Slots of later steps mean computed columns: a few too many only make variants.
  for (const step of steps)
    if (step.kind === "filter") slotsOf(step.condition, slots);
    else step.exprs.forEach((e) => slotsOf(e, slots));
  const generate = (variant: Variant): Loop | undefined => generateChain(steps, output, variant);
  const loops = new Loops(slots, generate);
  const calc: CompiledCalc = {
    output,
    run: (batch, context) => {
      const { kept, vectors } = located(steps, batch, context, () => loops.run(batch, context));
      return batchOf(output, batch.length, vectors, selectionAfter(batch, kept));
    },
    get source() {
      if (loops.source !== "") return loops.source;
      const variant = { inputs: typical(input, slots), selected: false, exact: false };
      return (generate(variant) ?? generate({ ...variant, exact: true }))!.source;
    },
  };
  return calc;
};

/** See the contract: expressions over the live rows, result vectors dense. */
export const compileExprs: CompileExprs = (given) => {
  const exprs = given.map((e) => foldConstants(e));
  const slots = new Set<number>();
  exprs.forEach((e) => slotsOf(e, slots));
  const loops = new Loops(slots, (variant) => generateExprs(exprs, variant));
  const plain = exprs.every((e) => e.kind === "slot");
  const steps: readonly CalcStep[] = [{ kind: "project", exprs, names: exprs.map((_, i) => String(i)) }];
  return (batch, context) => {
    const vectors = plain
      ? exprs.map((e) => batch.columns[(e as { index: number }).index]!)
      : located(steps, batch, context, () => loops.run(batch, context)).vectors;
    if (batch.selection === undefined) return vectors;
    const { selection } = batch;
    return vectors.map((v, i) => (exprs[i]!.kind === "slot" ? takeVector(v, selection) : v));
  };
};
