/** What a statement gives, and the text of it as `millrace sql` prints it. */
import { tableText } from "../connectors/formats/display.ts";
import { encoderOf } from "../connectors/formats/encoder.ts";
import { batchFromRows } from "../core/batch.ts";
import { BOOLEAN, field, STRING, type DataType } from "../core/data-type.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import type { Statement } from "./statement.ts";

export type Outcome =
  /** Rows: of a query, SHOW, DESCRIBE, EXPLAIN, SET. */
  | { readonly kind: "rows"; readonly schema: Schema; readonly rows: readonly Row[] }
  /** A streaming INSERT. `ended`: its trigger ends by itself, and it has. */
  | { readonly kind: "query"; readonly query: StreamingQuery; readonly ended: boolean }
  | { readonly kind: "done"; readonly message: string };

export type StatementResult = Outcome & { readonly statement: Statement };

const schemaOfTexts = (columns: readonly string[]): Schema =>
  schemaOf(
    columns.map((name): ReturnType<typeof field> => {
      const type: DataType = name === "isTemporary" ? BOOLEAN : STRING;
      return field(name, type);
    }),
  );

/** Rows of texts (and the flag `isTemporary`). */
export const textRows = (columns: readonly string[], rows: readonly Row[]): Outcome => ({
  kind: "rows",
  schema: schemaOfTexts(columns),
  rows,
});

export const done = (message: string): Outcome => ({ kind: "done", message });

export interface ResultTextOptions {
  readonly timeZone: string;
  /** Default: all of them. */
  readonly numRows?: number;
  /** Longest cell in characters; default 0: whole. */
  readonly truncate?: number;
}

/** Plans and scripts have lines of their own, which a table would break. */
const PLAIN: readonly string[] = ["plan", "createtab_stmt", "function_desc"];

export const resultText = (result: StatementResult, options: ResultTextOptions): string => {
  switch (result.kind) {
    case "done":
      return result.message === "" ? "" : `${result.message}\n`;
    case "query":
      return `query ${result.query.name} ${result.ended ? "has ended" : "is running"}\n`;
    case "rows": {
      const { schema, rows } = result;
      if (schema.fields.length === 1 && PLAIN.includes(schema.fields[0]!.name))
        return rows.map(([text]) => `${String(text).trimEnd()}\n`).join("");
      const { timeZone, numRows = rows.length, truncate = 0 } = options;
      return tableText(schema, rows, { timeZone, numRows, truncate });
    }
  }
};

/** One line of JSON a statement; rows as sinks write them: a long with all its digits, times in ISO form. */
export const resultJson = (result: StatementResult): string => {
  const { statement } = result;
  if (result.kind !== "rows") {
    const rest =
      result.kind === "done"
        ? { message: result.message }
        : { query: result.query.name, ended: result.ended };
    return JSON.stringify({ statement: statement.kind, ...rest });
  }
  const { schema, rows } = result;
  const encoder = encoderOf("json", schema, { millis: false, ignoreNullFields: false });
  const texts = encoder.encode(batchFromRows(schema, rows)).map((bytes) => Buffer.from(bytes).toString());
  return `{"statement":${JSON.stringify(statement.kind)},"rows":[${texts.join(",")}]}`;
};
