/**
 * Equal expressions of a loop are computed once where one is visible to the other: the same filter on several aggregates, a product that is tested and shown.
 * Two expressions are equal when they do the same to the same columns; each such shape has a number. An expression that may give something else each time, or
 * that reads a lambda's variable, has none.
 */
import type { Value } from "../core/value.ts";
import type { TypedExpr } from "./ast.ts";
import type { ChainColumn, Codegen } from "./codegen.ts";
import { lookupFunction } from "./registry.ts";

/** The numbers of one function being generated. */
export class Shapes {
  readonly #numbers = new Map<string, number>();
  #columns: readonly ChainColumn[] | undefined;
  /** Of expressions over `#columns`. */
  #known = new WeakMap<TypedExpr, number>();

  /** The number of an expression's shape; -1 when it is computed each time. */
  of(g: Codegen, e: TypedExpr): number {
    if (this.#columns !== g.columns) {
      this.#columns = g.columns;
      this.#known = new WeakMap();
    }
    let n = this.#known.get(e);
    if (n === undefined) {
      const text = this.#text(g, e);
      n = text === undefined ? -1 : this.#number(text);
      this.#known.set(e, n);
    }
    return n;
  }

  #number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  #all(g: Codegen, list: readonly TypedExpr[]): string | undefined {
    const numbers = list.map((e) => this.of(g, e));
    return numbers.includes(-1) ? undefined : numbers.join(" ");
  }

  #text(g: Codegen, e: TypedExpr): string | undefined {
    switch (e.kind) {
      case "literal": {
        const value = literalText(e.value);
        return value && `literal ${JSON.stringify(e.type)} ${value}`;
      }
      case "slot":
        return columnText(g.columns[e.index]);
      case "cast": {
        const child = this.#all(g, [e.child]);
        return child && `cast ${e.tryCast} ${JSON.stringify(e.type)} ${child}`;
      }
      case "field": {
        const child = this.#all(g, [e.child]);
        return child && `field ${e.index} ${child}`;
      }
      case "case": {
        const parts = this.#all(g, [...e.branches.flat(), e.otherwise]);
        return parts && `case ${JSON.stringify(e.type)} ${parts}`;
      }
      case "call": {
        if (e.udf !== undefined || lookupFunction(e.fn)?.deterministic === false) return undefined;
        const args = this.#all(g, e.args);
        return args === undefined ? undefined : `call ${JSON.stringify([e.fn, e.type])} ${args}`;
      }
      default:
        return undefined;
    }
  }
}

const literalText = (v: Value): string | undefined => {
  if (typeof v === "object" && v !== null) return undefined;
  return `${typeof v} ${Object.is(v, -0) ? "-0" : String(v)}`;
};

/** Names of the generated code are different for different columns. */
const columnText = (c: ChainColumn | undefined): string | undefined => {
  if (c === undefined) return undefined;
  return "input" in c ? `input ${c.input}` : `code ${c.code.value} ${c.code.isNull}`;
};
