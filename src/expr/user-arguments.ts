/** Arguments of functions of the program: as many as it declared, of its types. */
import type { TypedExpr, UserFunction } from "./ast.ts";
import { coerce } from "./coercion.ts";
import type { CallSite } from "./function.ts";
import { sqlType, unexpectedInput, wrongNumberOfArguments } from "./type-errors.ts";

/** Arguments of a user function, coerced to its parameters. Throws AnalysisError. */
export const userArguments = (
  udf: UserFunction,
  raw: readonly TypedExpr[],
  site: CallSite,
): readonly TypedExpr[] => {
  if (raw.length !== udf.parameters.length)
    throw wrongNumberOfArguments(site, String(udf.parameters.length), raw.length);
  return raw.map((a, i) => {
    const c = coerce(a, udf.parameters[i]!);
    if (c === undefined) throw unexpectedInput(site, raw, i, `"${sqlType(udf.parameters[i]!)}"`);
    return c;
  });
};
