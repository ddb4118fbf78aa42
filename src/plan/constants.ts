/** Values of constant expressions. */
import type { Value } from "../core/value.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { fold } from "../expr/fold.ts";

export interface Constant {
  readonly value: Value;
}

/** The value of an expression that depends on neither row, clock, chance nor user code; undefined for others and where it would fail. */
export const constantOf = (e: TypedExpr, timeZone: string): Constant | undefined => {
  const folded = fold(e, timeZone);
  return folded.kind === "literal" ? { value: folded.value } : undefined;
};
