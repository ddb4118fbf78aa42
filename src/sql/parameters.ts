/** Values of `:name` parameters in parsed SQL: put in place as expressions, never as text. */
import type { Expr } from "../expr/ast.ts";

const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> => {
  if (typeof x !== "object" || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
};

/** Nodes that hold data and handles, not expressions. */
const LEAVES: ReadonlySet<unknown> = new Set(["rows", "source", "literal"]);

const replaced = (x: unknown, node: (x: Readonly<Record<string, unknown>>) => unknown): unknown => {
  if (Array.isArray(x)) return x.map((v) => replaced(v, node));
  if (!isPlain(x)) return x;
  const other = node(x);
  if (other !== undefined) return other;
  if (LEAVES.has(x["kind"])) return x;
  const copy = Object.create(Object.getPrototypeOf(x) as object | null) as Record<string, unknown>;
  for (const [k, v] of Object.entries(x)) copy[k] = replaced(v, node);
  return copy;
};

/** A parsed statement or relation with its parameters replaced. Those without a value are left for the analyser, which names them. */
export const bindParameters = <T>(parsed: T, values: ReadonlyMap<string, Expr>): T =>
  values.size === 0
    ? parsed
    : (replaced(parsed, (x) =>
        x["kind"] === "parameter" ? (values.get(x["name"] as string) ?? x) : undefined,
      ) as T);

/** A relation without positions: kept beyond its text, they would point into another one. */
export const withoutPositions = <T>(parsed: T): T => {
  const strip = (x: Readonly<Record<string, unknown>>): unknown => {
    if (!Object.hasOwn(x, "position")) return undefined;
    const { position: _, ...rest } = x;
    return LEAVES.has(x["kind"]) ? rest : replaced(rest, strip);
  };
  return replaced(parsed, strip) as T;
};

/** The relation with every stream read as a batch, to its end as it is now. */
export const asBatch = <T>(relation: T): T =>
  replaced(relation, (x) =>
    x["kind"] === "source" && x["streaming"] === true ? { ...x, streaming: false } : undefined,
  ) as T;
