/** What the statements of a session act on, and how their errors show the place. */
import { AnalysisError, ExecutionError, MillraceError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import { nearest } from "../expr/suggestion.ts";
import { analyse } from "../plan/analyse.ts";
import { schemaOfAttributes } from "../plan/fragment.ts";
import type { Catalog, CatalogEntry, SessionCatalog } from "../plan/catalog.ts";
import type { Relation } from "../plan/relation.ts";
import type { SessionRuntime } from "../query/runtime.ts";
import { parseError } from "./parse-error.ts";
import { asBatch } from "./parameters.ts";
import type { SqlSettings } from "./session-settings.ts";
import { SourceText } from "./token.ts";

export interface SessionContext {
  readonly catalog: SessionCatalog;
  readonly settings: SqlSettings;
  readonly compatibility: "extended" | "spark";
  /** The zone now: what SET says, else what the session was made with. */
  readonly timeZone: () => string;
  readonly runtime: () => Promise<SessionRuntime>;
}

export const quotedName = (parts: readonly string[]): string =>
  parts.map((p) => `\`${p.replaceAll("`", "``")}\``).join(".");

/** The columns of a relation and whether it is a stream. Throws AnalysisError. */
export const analysedRelation = (
  context: SessionContext,
  relation: Relation,
  catalog: Catalog = context.catalog,
): { readonly schema: Schema; readonly streaming: boolean } => {
  const { compatibility } = context;
  const plan = analyse(relation, catalog, { timeZone: context.timeZone(), compatibility });
  return { schema: schemaOfAttributes(plan.output), streaming: plan.streaming };
};

/** The catalog as a plain SELECT sees it: tables of streams are read to their end as it is now. */
export const batchCatalog = (catalog: SessionCatalog): Catalog => ({
  table(name): CatalogEntry | undefined {
    const entry = catalog.table(name);
    return entry === undefined
      ? undefined
      : {
          name: entry.name,
          kind: entry.kind,
          columns: entry.columns,
          get relation() {
            return asBatch(entry.relation);
          },
        };
  },
  function: (name) => catalog.function(name),
  variable: (parts) => catalog.variable(parts),
  sqlFunction: (name) => catalog.sqlFunction(name),
  tableNames: () => catalog.tableNames(),
  functionNames: () => catalog.functionNames(),
  overrides: catalog.overrides,
});

export const notFound = (catalog: Catalog, name: readonly string[]): AnalysisError => {
  const near = nearest(name.at(-1) ?? "", catalog.tableNames())[0];
  const errorClass = "TABLE_OR_VIEW_NOT_FOUND";
  return new AnalysisError(
    `[${errorClass}] The table or view ${quotedName(name)} cannot be found. Verify the spelling and correctness of the schema and catalog.`,
    { errorClass, ...(near === undefined ? {} : { hint: `did you mean ${quotedName([near])}?` }) },
  );
};

/** The entry of a name. Throws TABLE_OR_VIEW_NOT_FOUND. */
export const entryOf = (catalog: Catalog, name: readonly string[]): CatalogEntry => {
  const entry = catalog.table(name);
  if (entry === undefined) throw notFound(catalog, name);
  return entry;
};

/** Offset of a position in a text; -1 when the text has no such line. */
const offsetOf = (text: string, position: { readonly line: number; readonly column: number }): number => {
  let start = 0;
  for (let line = 1; line < position.line; line++) {
    start = text.indexOf("\n", start) + 1;
    if (start === 0) return -1;
  }
  return start + position.column - 1;
};

/** A plan or its compiled form that is deeper than the stack: of long CASE expressions and chains of set operations. */
const isOverflow = (error: unknown): boolean =>
  error instanceof Error &&
  error.message.includes("Maximum call stack size exceeded") &&
  (error instanceof RangeError || error instanceof ExecutionError);

const tooComplex = (cause: unknown): AnalysisError => {
  const errorClass = "FAILED_TO_PARSE_TOO_COMPLEX";
  return new AnalysisError(
    `[${errorClass}] The statement is too deep or too complex: its plan or an expression of it has too many levels or branches.`,
    { errorClass, cause, hint: "divide it into several statements, or put long lists into a table" },
  );
};

/** Adds line, column and the text with a caret to an error that knows its place in `text`; errors of the parser have them already. */
export const showPlace = (error: unknown, text: string): unknown => {
  if (isOverflow(error)) return tooComplex(error);
  if (!(error instanceof MillraceError) || error.position === undefined) return error;
  if (error.message.includes("\n")) return error;
  const { position } = error as { position: { line: number; column: number; length?: number } };
  const start = offsetOf(text, position);
  if (start < 0 || start > text.length) return error;
  const end = start + (position.length ?? 1);
  const shown = parseError(new SourceText(text), { start, end }, "", "").message;
  const place = ` (line ${position.line}, column ${position.column})`;
  const known = error.message.includes(`line ${position.line}, column`);
  error.message = `${error.message}${known ? "" : place}${shown.slice(shown.indexOf("\n"))}`;
  return error;
};
