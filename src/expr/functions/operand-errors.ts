/** Operands that do not go with their operator: texts under try_ operators, and which error Spark has for dates, timestamps and intervals beside operands that they do not go with. */
import type { DataType } from "../../core/data-type.ts";
import type { TypedExpr } from "../ast.ts";
import { isDatetime, isInterval } from "../coercion.ts";
import type { CallSite } from "../function.ts";
import { binaryDifferentTypes, unexpectedInput } from "../type-errors.ts";

/**
 * Spark takes + and - with a date or a day-time interval for moving a date or timestamp, and - with a timestamp for a difference: what does not fit is an unexpected
 * argument of those. What else meets a year-month interval, and division, are two operands of unlike types.
 */
export const refuseMixedTimes = (op: string, args: readonly TypedExpr[], site: CallSite): void => {
  const [a, b] = args.map((x) => x.type) as [DataType, DataType];
  if ((op === "*" && (isInterval(a) || isInterval(b))) || (op === "/" && isInterval(a)))
    throw unexpectedInput(site, args, isInterval(a) ? 1 : 0, `"NUMERIC"`);
  if (a.kind === b.kind) return;
  const has = (...of: readonly DataType["kind"][]): boolean => of.includes(a.kind) || of.includes(b.kind);
  if (op === "/") {
    if ((isDatetime(a) && isDatetime(b)) || (has("null") && isInterval(b)))
      throw binaryDifferentTypes(site, args);
    return;
  }
  if ((op !== "+" && op !== "-") || has("null")) return;
  const moving =
    has("date") ||
    (op === "-" && has("timestamp", "timestamp_ntz")) ||
    (op === "+"
      ? has("dayTimeInterval", "calendarInterval")
      : b.kind === "dayTimeInterval" || b.kind === "calendarInterval");
  if (moving)
    throw unexpectedInput(
      site,
      args,
      isInterval(b) || a.kind !== "date" ? 0 : 1,
      `("DATE" or "TIMESTAMP" or "INTERVAL")`,
    );
};

/** The coerced arguments of a try_ operator: a text that is no number (a cast of a given one) is null instead of an error. */
export const tolerantTexts = (
  coerced: readonly TypedExpr[],
  given: readonly TypedExpr[],
): readonly TypedExpr[] =>
  coerced.map((a) =>
    a.kind === "cast" && a.child.type.kind === "string" && given.includes(a.child)
      ? { ...a, tryCast: true, nullable: true }
      : a,
  );
