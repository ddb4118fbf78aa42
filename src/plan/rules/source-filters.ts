/**
 * Conditions right above a source are handed to it as well (bound to its columns), to skip rows before they are decoded. They stay above: a source
 * may ignore what it cannot use.
 */
import type { TypedExpr } from "../../expr/ast.ts";
import { transformUp, withChildren } from "../nodes.ts";
import { conjuncts, replace } from "../typed.ts";
import { isDeterministic, type Rule } from "./rule.ts";

export const sourceFilters: Rule = {
  name: "sourceFilters",
  apply: (plan) =>
    transformUp(plan, (p) => {
      if (p.kind !== "filter" || p.child.kind !== "source" || p.child.source.pushed.length > 0) return p;
      const source = p.child;
      const index = new Map(source.output.map((a, i) => [a.id, i]));
      const bound = (e: TypedExpr): TypedExpr =>
        replace(e, (x) =>
          x.kind === "attribute"
            ? { kind: "slot", index: index.get(x.id)!, name: x.name, type: x.type, nullable: x.nullable }
            : undefined,
        );
      const pushed = conjuncts(p.condition).filter(isDeterministic).map(bound);
      return withChildren(p, [Object.freeze({ ...source, source: { ...source.source, pushed } })]);
    }),
};
