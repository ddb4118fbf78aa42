/** Verbs that run a frame in batch, and those that name or describe it. */
import { tableText } from "../connectors/formats/display.ts";
import { INT, struct } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import { toUserValue } from "../expr/user-values.ts";
import type { Relation } from "../plan/relation.ts";
import type { ExplainMode } from "../query/runtime.ts";
import { kindOf, textArgument } from "./arguments.ts";
import { columnsOf } from "./expression-builder.ts";
import type { Cols } from "./expression.ts";
import { type Collected, FrameCore, treeText } from "./frame-core.ts";
import { literal } from "./literal.ts";
import type { RowOf } from "./tags.ts";

const SHOWN_ROWS = 20;
const SHOWN_WIDTH = 20;

export const rowsToUser = <S>({ schema, rows }: Collected): RowOf<S>[] => {
  const type = struct(schema.fields);
  return rows.map((row) => toUserValue(row, type) as RowOf<S>);
};

/** How many rows or which: a whole number from 0. */
export const wholeNumber = (verb: string, n: number): number => {
  if (!Number.isSafeInteger(n) || n < 0)
    throw new AnalysisError(
      `${verb} takes a whole number from 0, not ${typeof n === "number" ? n : kindOf(n)}`,
      {
        errorClass: "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
      },
    );
  return n;
};

export const limited = (child: Relation, limit: number | undefined, offset?: number): Relation => ({
  kind: "limit",
  child,
  limit: limit === undefined ? undefined : literal(limit, INT),
  offset: offset === undefined ? undefined : literal(offset, INT),
});

export class FrameActions<S> extends FrameCore {
  #kept: Promise<Collected> | undefined;
  #keep = false;

  /** The columns, for expressions outside of callbacks: `df.c.price`. */
  get c(): Cols<S> {
    return columnsOf(() => this.columns);
  }

  #collected(verb = "collect"): Promise<Collected> {
    if (!this.#keep) return this.run(verb, this.relation);
    this.#kept ??= this.run(verb, this.relation);
    this.#kept.catch(() => (this.#kept = undefined));
    return this.#kept;
  }

  /** All rows as plain objects (Spark: `collect`). Batch only. */
  async collect(): Promise<RowOf<S>[]> {
    return rowsToUser<S>(await this.#collected());
  }

  /** The first `n` rows. */
  async take(n: number): Promise<RowOf<S>[]> {
    const some = limited(this.relation, wholeNumber("take", n));
    return rowsToUser<S>(this.#keep ? sliced(await this.#collected(), n) : await this.run("take", some));
  }

  /** The first row, undefined when there is none. */
  async first(): Promise<RowOf<S> | undefined> {
    return (await this.take(1))[0];
  }

  /** The first `n` rows, as `take`. */
  head(n = 1): Promise<RowOf<S>[]> {
    return this.take(n);
  }

  /** The last `n` rows; computes them all. */
  async tail(n: number): Promise<RowOf<S>[]> {
    const { schema, rows } = await this.#collected("tail");
    return rowsToUser<S>({
      schema,
      rows: rows.slice(rows.length - Math.min(rows.length, wholeNumber("tail", n))),
    });
  }

  /** Whether there is no row. */
  async isEmpty(): Promise<boolean> {
    return (await this.take(1)).length === 0;
  }

  /** The number of rows. */
  async count(): Promise<number> {
    if (this.#keep) return (await this.#collected()).rows.length;
    const n = { kind: "call", fn: "count", args: [literal(1, INT)] } as const;
    const aggregates = [{ kind: "alias", child: n, names: ["count"] }] as const;
    const relation: Relation = { kind: "aggregate", child: this.relation, keys: [], aggregates };
    return Number((await this.run("count", relation)).rows[0]?.[0] ?? 0);
  }

  /** The rows one by one. */
  async *toLocalIterator(): AsyncGenerator<RowOf<S>, void, undefined> {
    const { schema, rows } = await this.#collected();
    const type = struct(schema.fields);
    for (const row of rows) yield toUserValue(row, type) as RowOf<S>;
  }

  /** Prints the first rows as a table: `numRows` of them, cells cut to `truncate` characters (true: 20, false: whole). */
  async show(numRows = SHOWN_ROWS, truncate: boolean | number = true): Promise<void> {
    const some = limited(this.relation, wholeNumber("show", numRows) + 1);
    const { schema, rows } = this.#keep ? await this.#collected() : await this.run("show", some);
    const width = typeof truncate === "number" ? truncate : truncate ? SHOWN_WIDTH : 0;
    const { timeZone } = this.session;
    this.session.print(tableText(schema, rows, { numRows, truncate: width, timeZone }));
  }

  /** Prints the columns as a tree. */
  printSchema(): void {
    this.session.print(treeText(this.schema));
  }

  /** Prints the plan, and gives its text. */
  async explain(mode: ExplainMode = "simple"): Promise<string> {
    const { catalog } = this.session;
    const text = (await this.session.runtime()).explain({ relation: this.relation, catalog }, mode);
    this.session.print(`${text}\n`);
    return text;
  }

  /** Names the frame for SQL. Throws AnalysisError TEMP_TABLE_OR_VIEW_ALREADY_EXISTS for a name in use. */
  createTempView(name: string): void {
    textArgument("createTempView", "a name", name);
    this.session.catalog.define({ name, kind: "view", relation: this.relation });
  }

  /** Names the frame for SQL, in place of what had the name. */
  createOrReplaceTempView(name: string): void {
    textArgument("createOrReplaceTempView", "a name", name);
    this.session.catalog.define({ name, kind: "view", relation: this.relation }, true);
  }

  /** Keeps the rows of this frame's first action for its next ones; frames made of it compute anew. Batch only. */
  cache(): this {
    this.requireBatch("cache");
    this.#keep = true;
    return this;
  }

  /** Spark's other name of `cache`; there is one storage level, memory. */
  persist(): this {
    return this.cache();
  }

  /** Forgets the rows that `cache` kept. */
  unpersist(): this {
    this.#keep = false;
    this.#kept = undefined;
    return this;
  }
}

const sliced = ({ schema, rows }: Collected, n: number): Collected => ({ schema, rows: rows.slice(0, n) });
