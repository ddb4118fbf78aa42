/**
 * Functions of one dictionary string column: computed once a dictionary entry instead of once a row, when first met (so that an error of an entry that no
 * row reaches is not thrown). The entry after the last stands for null.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { type Dictionary, type Layout, layoutOf, stringAt } from "../core/vector.ts";
import { safeLong } from "./arithmetic.ts";
import type { TypedExpr } from "./ast.ts";
import type { Block, Code, Codegen } from "./codegen.ts";
import type { EvaluationContext } from "./contract.ts";
import type { Interner } from "./interner.ts";
import { interpret } from "./interpret.ts";
import { lookupFunction } from "./registry.ts";

const NONE = -1;
const SEVERAL = -2;

/** The only slot an expression reads; SEVERAL when it may not be memoized. */
const onlySlot = (e: TypedExpr, so: number): number => {
  if (so === SEVERAL) return so;
  switch (e.kind) {
    case "literal":
    case "variable":
      return so;
    case "slot":
      if (e.type.kind !== "string") return SEVERAL;
      return so === NONE || so === e.index ? e.index : SEVERAL;
    case "cast":
    case "field":
      return onlySlot(e.child, so);
    case "lambda":
      return onlySlot(e.body, so);
    case "case":
      return onlySlot(
        e.otherwise,
        e.branches.reduce((s, [c, v]) => onlySlot(v, onlySlot(c, s)), so),
      );
    case "call":
      if (e.udf !== undefined || lookupFunction(e.fn)?.deterministic === false) return SEVERAL;
      return e.args.reduce((s, a) => onlySlot(a, s), so);
    case "attribute":
      return SEVERAL;
  }
};

const COMPUTED = 1;
const NULL = 2;

/** The results for the entries of one dictionary. `states`: 0 unknown, 1 computed, 2 null. */
export class Memo {
  readonly states: Uint8Array;
  readonly values: Value[] | Float64Array | Uint8Array;
  /** Ids in an output dictionary; -1 unknown. */
  readonly ids: Int32Array;
  readonly #compute: (id: number) => Value;

  constructor(dictionary: Dictionary, layout: Layout, compute: (s: string | null) => Value) {
    const n = dictionary.length + 1;
    this.states = new Uint8Array(n);
    this.values =
      layout === "bool"
        ? new Uint8Array(n)
        : layout === "i32" || layout === "f64"
          ? new Float64Array(n)
          : new Array<Value>(n).fill(null);
    this.ids = new Int32Array(n).fill(-1);
    this.#compute = (id) => compute(id === dictionary.length ? null : stringAt(dictionary, id));
  }

  /** Computes an entry; gives its state. */
  fill(id: number): number {
    const v = this.#compute(id);
    if (v === null) return (this.states[id] = NULL);
    if (this.values instanceof Uint8Array) this.values[id] = v === true ? 1 : 0;
    else this.values[id] = v as never;
    return (this.states[id] = COMPUTED);
  }

  /** The entry's id in an output dictionary. */
  intern(id: number, interner: Interner): number {
    return (this.ids[id] = interner.id(this.values[id] as string));
  }
}

/** How an expression's memo is reached in the code: its name and the variable with the entry's id. */
export interface MemoPlace {
  readonly memo: string;
  readonly id: string;
}

const maker = (e: TypedExpr, slot: number, exact: boolean) => {
  // Exact longs may be bigints: those are kept as values.
  const layout = e.type.kind === "long" && exact ? "any" : layoutOf(e.type);
  return (dictionary: Dictionary, context: EvaluationContext): Memo => {
    const row: Value[] = [];
    return new Memo(dictionary, layout, (s) => {
      row[slot] = s;
      const v = interpret(e, row, context);
      return e.type.kind === "long" && !exact && v !== null ? safeLong(v as number | bigint) : v;
    });
  };
};

/** Reading the mask is cheaper than any memo. */
const MASK_ONLY = new Set(["isnull", "isnotnull"]);
const isCandidate = (e: TypedExpr): boolean =>
  (e.kind === "call" && !MASK_ONLY.has(e.fn)) || e.kind === "cast" || e.kind === "case";

/** Where a memoized expression stands; undefined when it is none. */
export const memoPlaces = new WeakMap<Code, MemoPlace>();

const valueSource = (type: DataType, values: string, id: string): string =>
  type.kind === "boolean" ? `${values}[${id}] === 1` : `${values}[${id}]`;

/** The code of an expression over one dictionary column with few entries; undefined for any other. */
export const memoCode = (g: Codegen, block: Block, e: TypedExpr): Code | undefined => {
  if (!isCandidate(e)) return undefined;
  const slot = onlySlot(e, NONE);
  if (slot < 0) return undefined;
  const column = g.columns[slot]!;
  if (!("input" in column)) return undefined;
  const { input } = column;
  const { memo: pays, nulls, layout } = g.inputs[input]!;
  if (!pays || layout !== "dict") return undefined;
  g.use(input);
  const [memo, id, state, value, isNull] = ["m", "q", "u", "w", "x"].map((p) => g.fresh(p)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  g.prelude.push(
    `const ${memo} = ${g.bind(maker(e, slot, g.exact))}(y${input}, ctx), ${memo}s = ${memo}.states, ${memo}v = ${memo}.values;`,
  );
  block.line(`const ${id} = ${nulls ? `l${input}[i] === 1 ? y${input}.length : ` : ""}d${input}[i];`);
  block.line(`let ${state} = ${memo}s[${id}]; if (${state} === 0) ${state} = ${memo}.fill(${id});`);
  block.line(`const ${value} = ${valueSource(e.type, `${memo}v`, id)}, ${isNull} = ${state} === ${NULL};`);
  const code = { value, isNull };
  memoPlaces.set(code, { memo, id });
  return code;
};
