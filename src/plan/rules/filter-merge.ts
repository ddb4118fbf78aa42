/** A filter over a filter is one filter; the lower condition is tested first. */
import { conjuncts, and } from "../typed.ts";
import { filter, transformUp } from "../nodes.ts";
import { isDeterministic, type Rule } from "./rule.ts";

export const filterMerge: Rule = {
  name: "filterMerge",
  apply: (plan) =>
    transformUp(plan, (p) => {
      if (p.kind !== "filter" || p.child.kind !== "filter") return p;
      if (!isDeterministic(p.condition) || !isDeterministic(p.child.condition)) return p;
      return filter(p.child.child, and([...conjuncts(p.child.condition), ...conjuncts(p.condition)]));
    }),
};
