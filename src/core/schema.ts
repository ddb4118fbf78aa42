/** A schema: the ordered columns of a batch or plan node. Names may repeat (after a join); lookups then fail. */
import { type Field, typeName } from "./data-type.ts";

export interface Schema {
  readonly fields: readonly Field[];
}

export const schemaOf = (fields: readonly Field[]): Schema =>
  Object.freeze({ fields: Object.freeze([...fields]) });

/** Position of the column `name` (exact, else the only case-insensitive match, as in Spark); -1 when absent or ambiguous. */
export const columnIndex = (schema: Schema, name: string): number => {
  const exact = schema.fields.flatMap((f, i) => (f.name === name ? [i] : []));
  if (exact.length === 1) return exact[0]!;
  if (exact.length > 1) return -1;
  const lower = name.toLowerCase();
  const loose = schema.fields.flatMap((f, i) => (f.name.toLowerCase() === lower ? [i] : []));
  return loose.length === 1 ? loose[0]! : -1;
};

/** One line per schema, for fingerprints and messages: `a bigint not null, b string`. */
export const describeSchema = (schema: Schema): string =>
  schema.fields.map((f) => `${f.name} ${typeName(f.type)}${f.nullable ? "" : " not null"}`).join(", ");
