/**
 * The objects behind column expressions: proxies over nodes of the AST.
 *
 *  B1 a property that is no method is a field of the struct; `field(name)` takes any name.
 *  B2 JS operators (`>`, `+`, `!`) cannot be overloaded: where JS asks for a primitive, an AnalysisError says which method to use. `&&` and
 *     `||` ask for nothing, so conditions that were built and then dropped are found by `conditionFrom`.
 *  B3 names are bound as data; `then` of an expression is undefined, so that one may be returned from an async function.
 */
import { AnalysisError } from "../core/errors.ts";
import type { DataType } from "../core/data-type.ts";
import {
  BOOLEAN,
  DOUBLE,
  FLOAT,
  INT,
  LONG,
  SHORT,
  BYTE,
  STRING,
  BINARY,
  DATE,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  decimal,
} from "../core/data-type.ts";
import type { Expr, SortOrder } from "../expr/ast.ts";
import { nearest } from "../expr/suggestion.ts";
import { intervalLiteral, lift } from "./literal.ts";
import { isExpression, NODE, SORT_NODE } from "./node.ts";

export const call = (fn: string, args: readonly Expr[]): Expr =>
  Object.freeze({ kind: "call", fn, args: Object.freeze([...args]) });
export const column = (...parts: readonly string[]): Expr =>
  Object.freeze({ kind: "column", parts: Object.freeze(parts) });
export const aliased = (child: Expr, name: string): Expr =>
  Object.freeze({ kind: "alias", child, names: Object.freeze([name]) });

type Method = (self: Expr, args: readonly unknown[]) => unknown;

/** Boolean expressions built while a condition is (B2). */
let built: Set<Expr> | undefined;

const conditional =
  (fn: string): Method =>
  (self, args) => {
    const node = call(fn, [self, ...args.map(lift)]);
    built?.add(node);
    return expressionOf(node);
  };
const plain =
  (fn: string): Method =>
  (self, args) =>
    expressionOf(call(fn, [self, ...args.map(lift)]));

const sortKey =
  (descending: boolean, nullsFirst: boolean): Method =>
  (expr) => {
    const order: SortOrder<Expr> = { expr, descending, nullsFirst };
    return Object.freeze({ [SORT_NODE]: order });
  };

const TYPES: ReadonlyMap<string, DataType> = new Map<string, DataType>([
  ["boolean", BOOLEAN],
  ["tinyint", BYTE],
  ["byte", BYTE],
  ["smallint", SHORT],
  ["short", SHORT],
  ["int", INT],
  ["integer", INT],
  ["bigint", LONG],
  ["long", LONG],
  ["float", FLOAT],
  ["double", DOUBLE],
  ["decimal", decimal(10, 0)],
  ["string", STRING],
  ["binary", BINARY],
  ["date", DATE],
  ["timestamp", TIMESTAMP],
  ["timestamp_ntz", TIMESTAMP_NTZ],
]);

/** The type of a name or of `t`. Throws AnalysisError with the nearest name. */
export const typeOfCast = (to: unknown): DataType => {
  if (typeof to === "object" && to !== null && "type" in to) return (to as { readonly type: DataType }).type;
  const text = String(to).trim().toLowerCase();
  const known = TYPES.get(text);
  if (known !== undefined) return known;
  const digits = /^decimal\((\d+)(?:\s*,\s*(\d+))?\)$/.exec(text);
  if (digits !== null) return decimal(Number(digits[1]), Number(digits[2] ?? 0));
  throw new AnalysisError(`[UNSUPPORTED_DATATYPE] Unsupported data type "${text.toUpperCase()}"`, {
    errorClass: "UNSUPPORTED_DATATYPE",
    hint: `did you mean "${nearest(text, [...TYPES.keys()])[0]}"? Nested types are given by t: cast(t.array(t.int))`,
  });
};

const cast =
  (tryCast: boolean): Method =>
  (child, [to]) =>
    expressionOf(Object.freeze({ kind: "cast", child, to: typeOfCast(to), tryCast }));
const alias: Method = (self, [name]) => expressionOf(aliased(self, String(name)));
const item: Method = (child, [key]) => expressionOf(Object.freeze({ kind: "item", child, key: lift(key) }));
/** Time plus or minus a duration, given as text or as an interval. */
const shifted =
  (fn: "+" | "-"): Method =>
  (self, [x]) =>
    expressionOf(call(fn, [self, isExpression(x) ? lift(x) : intervalLiteral(String(x))]));

const fieldOf = (child: Expr, name: string): Expr =>
  child.kind === "column" ? column(...child.parts, name) : Object.freeze({ kind: "field", child, name });

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["eq", conditional("=")],
  ["ne", conditional("!=")],
  ["eqNullSafe", conditional("<=>")],
  ["gt", conditional(">")],
  ["ge", conditional(">=")],
  ["lt", conditional("<")],
  ["le", conditional("<=")],
  ["between", conditional("between")],
  ["in", conditional("in")],
  ["isin", conditional("in")],
  ["isNull", conditional("isnull")],
  ["isNotNull", conditional("isnotnull")],
  ["like", conditional("like")],
  ["ilike", conditional("ilike")],
  ["rlike", conditional("rlike")],
  ["startsWith", conditional("startswith")],
  ["endsWith", conditional("endswith")],
  ["contains", conditional("contains")],
  ["and", conditional("and")],
  ["or", conditional("or")],
  ["not", conditional("not")],
  ["add", plain("+")],
  ["sub", plain("-")],
  ["mul", plain("*")],
  ["div", plain("/")],
  ["mod", plain("%")],
  ["neg", plain("negative")],
  ["coalesce", plain("coalesce")],
  ["substr", plain("substring")],
  ["lower", plain("lower")],
  ["upper", plain("upper")],
  ["trim", plain("trim")],
  ["length", plain("length")],
  ["plus", shifted("+")],
  ["minus", shifted("-")],
  ["cast", cast(false)],
  ["try_cast", cast(true)],
  ["as", alias],
  ["alias", alias],
  ["at", item],
  ["getItem", item],
  ["field", (self, [name]) => expressionOf(fieldOf(self, String(name)))],
  ["asc", sortKey(false, true)],
  ["asc_nulls_first", sortKey(false, true)],
  ["asc_nulls_last", sortKey(false, false)],
  ["desc", sortKey(true, false)],
  ["desc_nulls_first", sortKey(true, true)],
  ["desc_nulls_last", sortKey(true, false)],
]);

const operatorUsed = (): never => {
  throw new AnalysisError("a column expression was used as a JavaScript value", {
    hint: "JavaScript's operators do not build expressions: write c.a.gt(1).and(c.b.ne(2)) for c.a > 1 && c.b != 2, c.a.add(1) for c.a + 1",
  });
};

const HANDLER: ProxyHandler<() => Expr> = {
  get(target, property) {
    if (property === NODE) return target();
    if (typeof property === "symbol") return property === Symbol.toPrimitive ? operatorUsed : undefined;
    if (property === "then") return undefined;
    const node = target();
    const method = METHODS.get(property);
    if (method !== undefined) return (...args: readonly unknown[]) => method(node, args);
    return expressionOf(fieldOf(node, property));
  },
  // A call of what is no method: `c.price.gtt(1)` reads a field `gtt` of price first.
  apply(target) {
    const node = target();
    const name = node.kind === "field" ? node.name : node.kind === "column" ? node.parts.at(-1)! : "";
    throw new AnalysisError(`a column expression has no method "${name}"`, {
      hint: `did you mean ${nearest(name, [...METHODS.keys()], undefined, 3).join(", ")}?`,
    });
  },
  has: (_target, property) => property === NODE,
  set: () => false,
  deleteProperty: () => false,
};

/** The object of the API for a node. */
export const expressionOf = (node: Expr): never => new Proxy(() => node, HANDLER) as never;

/**
 * The columns of a frame: any name gives a column, below `qualifier` where there is one. `names` is asked when the columns are listed:
 * `select(c => ({ ...c, more: … }))`.
 */
export const columnsOf = (names: () => readonly string[], qualifier: readonly string[] = []): never => {
  const get = (property: string): unknown => expressionOf(column(...qualifier, property));
  return new Proxy(Object.create(null) as object, {
    get: (_target, property) => (typeof property === "symbol" ? undefined : get(property)),
    ownKeys: () => [...new Set(names())],
    getOwnPropertyDescriptor: (_target, property) =>
      typeof property === "symbol"
        ? undefined
        : { value: get(property), enumerable: true, configurable: true, writable: false },
    set: () => false,
  }) as never;
};

const children = (e: Expr): readonly Expr[] =>
  Object.values(e)
    .flatMap((v: unknown) => (Array.isArray(v) ? (v.flat(2) as unknown[]) : [v]))
    .filter(isNode);
const isNode = (x: unknown): x is Expr => typeof x === "object" && x !== null && "kind" in x;

const reached = (e: Expr, into: Set<Expr>): Set<Expr> => {
  if (into.has(e)) return into;
  into.add(e);
  for (const child of children(e)) reached(child, into);
  return into;
};

/** Runs a callback that gives a condition. Throws AnalysisError when it gives something else, or drops a part of it (B2). */
export const conditionFrom = (verb: string, build: () => unknown): Expr => {
  const outer = built;
  const mine = (built = new Set<Expr>());
  try {
    const result = build();
    if (!isExpression(result))
      throw new AnalysisError(
        `${verb} takes a column expression, and the callback gave ${result === null ? "null" : `a value of type ${typeof result}`}`,
        {
          errorClass: "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
          hint: "write c => c.price.gt(10); for a JavaScript predicate over rows there is filterRows(row => …)",
        },
      );
    const node = lift(result);
    const used = reached(node, new Set());
    if ([...mine].some((e) => !used.has(e)))
      throw new AnalysisError(`${verb}: a condition was built and then left out of the result`, {
        hint: "&& and || cannot combine column expressions: use .and(…) and .or(…)",
      });
    return node;
  } finally {
    built = outer;
  }
};
