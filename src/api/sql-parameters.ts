/** Values for the `:name` parameters of SQL: JS values as literals. */
import type { Expr } from "../expr/ast.ts";
import type { Value } from "./expression.ts";
import { lift } from "./literal.ts";

export const parameterValues = (
  parameters: Readonly<Record<string, Value>> | undefined,
): ReadonlyMap<string, Expr> =>
  new Map(Object.entries(parameters ?? {}).map(([name, value]) => [name, lift(value)]));
