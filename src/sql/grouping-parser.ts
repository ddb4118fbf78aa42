/** GROUP BY: keys, ALL, and the grouping sets that GROUPING SETS, CUBE and ROLLUP expand to. Ordinals and aliases are the analyser's. */
import { GROUPING_SETS_MAX } from "../core/limits.ts";
import type { Expr } from "../expr/ast.ts";
import type { Grouping } from "../plan/relation.ts";
import { nameClause } from "./name-parser.ts";
import type { Parser } from "./token-stream.ts";

type GroupingSet = readonly Expr[];
/** The sets that one element of GROUP BY stands for; a plain key is one set of one expression. */
interface Element {
  readonly sets: readonly GroupingSet[];
  readonly plain: boolean;
}

/** Identity of an expression without its place in the text; names without case. */
const keyOf = (e: Expr): string =>
  JSON.stringify(e, (name, value: unknown) => {
    if (name === "position") return undefined;
    if (typeof value === "bigint") return `${value}n`;
    if (name === "parts" && Array.isArray(value)) return value.map((x) => String(x).toLowerCase());
    return value;
  });

const distinct = (exprs: readonly Expr[]): Expr[] => {
  const seen = new Set<string>();
  return exprs.filter((e) => seen.size < seen.add(keyOf(e)).size);
};

const limited = (p: Parser, count: number): void => {
  if (count > GROUPING_SETS_MAX) throw p.tooComplex(`more than ${GROUPING_SETS_MAX} grouping sets`);
};

const rollup = (items: readonly GroupingSet[]): GroupingSet[] =>
  Array.from({ length: items.length + 1 }, (_, i) => items.slice(0, items.length - i).flat());

const cube = (p: Parser, items: readonly GroupingSet[]): GroupingSet[] => {
  limited(p, 2 ** items.length);
  return Array.from({ length: 2 ** items.length }, (_, mask) =>
    items.filter((_item, i) => ((mask >> (items.length - 1 - i)) & 1) === 0).flat(),
  );
};

/** `(a, b)`, `()` or one expression. */
const groupingSet = (p: Parser): GroupingSet => {
  const after = p.atOp("(") ? p.peek(p.closing(0) + 1) : undefined;
  if (after === undefined || !(after.kind === "op" && (after.text === "," || after.text === ")")))
    return [p.grammar.expression(p)];
  if (!p.atOp(")", 1)) return p.parenthesized(() => p.grammar.expression(p));
  p.next();
  p.next();
  return [];
};

/** ROLLUP (…), CUBE (…) or GROUPING SETS (…), when one is next. */
const analytics = (p: Parser): readonly GroupingSet[] | undefined => {
  if ((p.at("ROLLUP") || p.at("CUBE")) && p.atOp("(", 1)) {
    const word = p.next().upper;
    const items = p.parenthesized(() => groupingSet(p));
    return word === "ROLLUP" ? rollup(items) : cube(p, items);
  }
  if (!p.at("GROUPING", "SETS")) return undefined;
  p.accept("GROUPING", "SETS");
  return p.nested(() => p.parenthesized(() => analytics(p) ?? [groupingSet(p)]).flat());
};

const element = (p: Parser, aliases: boolean): Element => {
  const sets = analytics(p);
  if (sets !== undefined) return { sets, plain: false };
  return { sets: [[aliases ? nameClause(p) : p.grammar.expression(p)]], plain: true };
};

/** Every choice of one set of each element, put together. */
const product = (p: Parser, elements: readonly Element[]): readonly GroupingSet[] => {
  let sets: readonly GroupingSet[] = [[]];
  for (const e of elements) {
    limited(p, sets.length * e.sets.length);
    sets = sets.flatMap((left) => e.sets.map((right) => [...left, ...right]));
  }
  return sets;
};

const setsOf = (p: Parser, exprs: readonly Expr[], sets: readonly GroupingSet[]): Grouping => {
  limited(p, sets.length);
  return { kind: "sets", exprs: distinct(exprs), sets: sets.map(distinct) };
};

/** Words after `GROUP BY ALL`, where ALL is not a column. */
const atAll = (p: Parser): boolean => {
  const after = p.peek(1);
  return p.at("ALL") && (after.kind !== "op" || [")", ";", "|>"].includes(after.text));
};

/** What follows GROUP BY. With `aliases` (in pipes) keys may be named. */
export const grouping = (p: Parser, aliases = false): Grouping => {
  if (atAll(p)) {
    p.next();
    return { kind: "all" };
  }
  const elements = p.list(() => element(p, aliases));
  const exprs = elements.flatMap((e) => e.sets.flat());
  if (elements.every((e) => e.plain)) {
    const items = exprs.map((e) => [e]);
    if (p.accept("WITH", "ROLLUP")) return setsOf(p, exprs, rollup(items));
    if (p.accept("WITH", "CUBE")) return setsOf(p, exprs, cube(p, items));
    const sets = analytics(p);
    return sets === undefined ? { kind: "keys", exprs } : setsOf(p, [...exprs, ...sets.flat()], sets);
  }
  return setsOf(p, exprs, product(p, elements));
};
