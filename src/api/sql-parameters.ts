/** Values for the `:name` parameters of a parsed query: put in place as literals, never as text. */
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import type { Value } from "./expression.ts";
import { lift } from "./literal.ts";

const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/** The relation with its parameters replaced. Those without a value are left for the analyser, which names them. */
export const withParameters = (
  relation: Relation,
  parameters: Readonly<Record<string, Value>> | undefined,
): Relation => {
  if (parameters === undefined) return relation;
  const values = new Map<string, Expr>(Object.entries(parameters).map(([name, v]) => [name, lift(v)]));
  const replaced = (x: unknown): unknown => {
    if (Array.isArray(x)) return x.map(replaced);
    if (!isPlain(x)) return x;
    if (x["kind"] === "parameter") return values.get(x["name"] as string) ?? x;
    if (x["kind"] === "rows" || x["kind"] === "source" || x["kind"] === "literal") return x;
    return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, replaced(v)]));
  };
  return replaced(relation) as Relation;
};
