/**
 * HAVING, and what ORDER BY may say behind one.
 *
 *  H1 a name is a column of the input first, where it is a grouping key or stands inside an aggregate; else a name of the select list.
 *  H2 where the condition needs an aggregate or a key that is not selected, a projection hides them again: ORDER BY then sees the
 *     output and the grouping columns, and no aggregates.
 *  H3 a condition of another type is cast to boolean.
 */
import { BOOLEAN } from "../core/data-type.ts";
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { fail, sameName } from "./analyse-context.ts";
import { conditionIn, type Env, typeIn } from "./analyse-env.ts";
import type { Item } from "./analyse-items.ts";
import { unclear } from "./analyse-order.ts";
import type { ColumnMatch, Visible } from "./analyse-names.ts";
import { exprKey, nullOf, replace, some } from "./typed.ts";

/** The select list's columns by name. Throws AMBIGUOUS_REFERENCE where two different ones have it. */
const selected =
  (items: readonly Item[], env: Env): NonNullable<Env["alias"]> =>
  (parts: readonly string[], position: SourcePosition | undefined): ColumnMatch | undefined => {
    const found = items.flatMap((item, i) =>
      sameName(item.name, parts[0]!) && (item.aliases === undefined || item.aliases.length === 1)
        ? [typeIn({ ...env, alias: selected(items.slice(0, i), env) }, item.expr)]
        : [],
    );
    if (found.length === 0) return undefined;
    if (new Set(found.map((e) => exprKey(e))).size > 1) {
      const names = found.map(() => `\`${parts[0]!}\``).join(", ");
      return fail(
        "AMBIGUOUS_REFERENCE",
        `Reference \`${parts[0]!}\` is ambiguous, could be: [${names}].`,
        position,
      );
    }
    return { base: found[0]!, rest: parts.slice(1) };
  };

/** H1. `free`: the column of an expression that is no key, if there is one. */
export const typeHaving = (
  condition: Expr,
  items: readonly Item[],
  env: Env,
  free: (e: TypedExpr) => Attribute | undefined,
): TypedExpr => {
  const e: Expr = { kind: "cast", child: condition, to: BOOLEAN, tryCast: false };
  const alias = selected(items, env);
  const hidden = new Set<number>();
  for (;;) {
    const visible = without(env.visible, hidden);
    const { over: _, ...plain } = env;
    const having: Env = { ...plain, visible, clause: "HAVING", alias };
    const typed = inputFirst(having, alias, e);
    const found = free(typed);
    if (found === undefined || hidden.has(found.id) || !items.some((i) => sameName(i.name, found.name)))
      return typed;
    hidden.add(found.id);
  }
};

const inputFirst = (env: Env, first: NonNullable<Env["alias"]>, e: Expr): TypedExpr => {
  try {
    return conditionIn(env, e);
  } catch (error) {
    if (!unclear(error)) throw error;
    try {
      return conditionIn({ ...env, first }, e);
    } catch (second) {
      throw unclear(second) ? second : error;
    }
  }
};

const without = (visible: Visible, hidden: ReadonlySet<number>): Visible => ({
  columns: visible.columns.filter((c) => !hidden.has(c.attribute.id)),
  hidden: visible.hidden.filter((c) => !hidden.has(c.attribute.id)),
});

/** H2: whether the finished condition uses one of `made` (keys and aggregates) otherwise than the selected expressions do. */
export const needsMore = (
  condition: TypedExpr,
  selectedExprs: readonly TypedExpr[],
  made: readonly Attribute[],
): boolean => {
  const keys = new Set(selectedExprs.map((e) => exprKey(e)));
  const ids = new Set(made.map((a) => a.id));
  const rest = replace(condition, (x) => (keys.has(exprKey(x)) ? nullOf(x.type) : undefined));
  return some(rest, (x) => x.kind === "attribute" && ids.has(x.id));
};

/** H2: the scope of an ORDER BY that sees no aggregates and of the input only its grouping columns. */
export const hiddenInput = (env: Env, keys: ReadonlySet<number>): Env => {
  const visible: Visible = {
    columns: env.visible.columns.filter((c) => keys.has(c.attribute.id)),
    hidden: env.visible.hidden.filter((c) => keys.has(c.attribute.id)),
  };
  return {
    ...env,
    visible,
    aggregate: (call, inner) => {
      call.args.forEach((x) => x.kind === "star" || typeIn({ ...inner, visible }, x));
      return fail(
        "UNSUPPORTED_EXPR_FOR_OPERATOR",
        `The aggregate function ${call.fn}(…) cannot stand in ORDER BY behind this HAVING.`,
        call.position,
        "select it under a name and order by the name",
      );
    },
  };
};
