/** Variables of the session in expressions: constants, looked up where nothing else has the name. */
import type { DataType } from "../core/data-type.ts";
import type { ResolvedColumn } from "../expr/scope.ts";
import { sqlLiteral } from "../expr/sql-literal.ts";
import type { Catalog } from "./catalog.ts";

/** The value of the variable that the leading parts name. */
export const variableOf = (catalog: Catalog, parts: readonly string[]): ResolvedColumn | undefined => {
  const found = catalog.variable?.(parts);
  if (found === undefined) return undefined;
  const { type, value } = found.variable;
  return { expr: { kind: "literal", value, type, nullable: true }, rest: found.rest };
};

/** A variable inside the name of a column, as Spark shows it. */
export const variableText = (
  catalog: Catalog,
  parts: readonly string[],
  timeZone: string,
): { readonly text: string; readonly type: DataType | undefined } | undefined => {
  const found = catalog.variable?.(parts);
  if (found === undefined) return undefined;
  const { name, type, value } = found.variable;
  const text = `variablereference(system.session.${name.toLowerCase()}=${sqlLiteral(value, type, timeZone)})`;
  return { text: [text, ...found.rest].join("."), type: found.rest.length === 0 ? type : undefined };
};
