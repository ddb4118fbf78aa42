/**
 * A SQL session: runs scripts over a runtime and a catalog. `millrace sql`, `mill.sql` and the golden tests all come here.
 *
 *  Q1  A script is parsed whole before its first statement acts; after SET TIME ZONE the rest is read in the new zone.
 *  Q2  Statements act in order; the first that fails ends the script, and says where.
 *  Q3  A plain SELECT reads streams to their end as it is now; INSERT INTO is what starts a streaming query.
 */
import { AnalysisError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import type { SessionCatalog } from "../plan/catalog.ts";
import type { ExplainMode, SessionRuntime } from "../query/runtime.ts";
import { bindParameters } from "./parameters.ts";
import { batchCatalog, entryOf, type SessionContext, showPlace } from "./session-context.ts";
import { insert, insertRequest } from "./session-insert.ts";
import { SqlSettings } from "./session-settings.ts";
import { describeFunction, describeQuery, describeTable, show } from "./session-show.ts";
import { cacheTable, createTable, createView, createViewUsing, drop } from "./session-tables.ts";
import { executeImmediate, holdsNames, nameOf, withNames } from "./session-immediate.ts";
import { createFunction, dropFunction } from "./session-functions.ts";
import { ScriptRun } from "./session-script.ts";
import {
  declareVariables,
  dropVariable,
  refuseVariable,
  setFromQuery,
  targetsOf,
  setVariables,
} from "./session-variables.ts";
import { parseScript, parseStatement } from "./statement-parser.ts";
import { done, type Outcome, type StatementResult, textRows } from "./statement-result.ts";
import type { Statement, StatementBody } from "./statement.ts";

export interface SqlSessionOptions {
  readonly catalog: SessionCatalog;
  /** Asked for by the first statement that runs something. */
  readonly runtime: () => Promise<SessionRuntime>;
  /** The zone until SET says another. Default UTC. */
  readonly timeZone?: string;
  readonly compatibility?: "extended" | "spark";
}

/** Values of `:name` parameters, as expressions. */
export type Parameters = ReadonlyMap<string, Expr>;
const NO_PARAMETERS: Parameters = new Map();

const EXPLAINED: Readonly<Record<Extract<StatementBody, { kind: "explain" }>["mode"], ExplainMode>> = {
  simple: "simple",
  formatted: "extended",
  logical: "extended",
  extended: "extended",
  codegen: "codegen",
  cost: "cost",
};

export class SqlSession {
  readonly #context: SessionContext;

  constructor(options: SqlSessionOptions) {
    const { catalog, runtime, timeZone = "UTC", compatibility = "extended" } = options;
    this.#context = {
      catalog,
      settings: new SqlSettings(catalog),
      compatibility,
      timeZone: () => catalog.overrides.timeZone ?? timeZone,
      runtime,
    };
  }

  /** The zone in which texts are read and results shown. */
  get timeZone(): string {
    return this.#context.timeZone();
  }

  /** The statements of a script, run one by one as their results are asked for. Throws ParseError, AnalysisError, ExecutionError, …, with the place. */
  async *execute(
    text: string,
    parameters: Parameters = NO_PARAMETERS,
  ): AsyncGenerator<StatementResult, void, undefined> {
    let zone = this.timeZone;
    let statements = parseScript(text, { timeZone: zone });
    for (let i = 0; i < statements.length; i++) {
      if (this.timeZone !== zone) {
        zone = this.timeZone;
        statements = parseScript(text, { timeZone: zone });
      }
      try {
        const read = holdsNames(statements[i]!)
          ? withNames(this.#context, text, i, parameters)
          : statements[i]!;
        const statement = bindParameters(read, parameters);
        yield { ...(await this.#outcome(statement)), statement };
      } catch (e) {
        throw showPlace(e, text);
      }
    }
  }

  /** All results of a script. */
  async run(text: string, parameters?: Parameters): Promise<readonly StatementResult[]> {
    const results: StatementResult[] = [];
    for await (const result of this.execute(text, parameters)) results.push(result);
    return results;
  }

  /** One statement with its parameters. Throws ParseError, and AnalysisError for a bad IDENTIFIER clause. */
  parsed(text: string, parameters: Parameters): Statement {
    const names = nameOf(this.#context, parameters);
    return bindParameters(parseStatement(text, { timeZone: this.timeZone, nameOf: names }), parameters);
  }

  /** A parsed statement that needs no runtime (CREATE, DROP, SET, SHOW, DESCRIBE, CACHE); undefined for the others, which `execute` runs. */
  apply(statement: Statement, text: string): Outcome | undefined {
    try {
      return this.#immediate(statement);
    } catch (e) {
      throw showPlace(e, text);
    }
  }

  async #outcome(s: Statement): Promise<Outcome> {
    return this.#immediate(s) ?? (await this.#running(s));
  }

  #immediate(s: Statement): Outcome | undefined {
    const c = this.#context;
    switch (s.kind) {
      case "createView":
        return createView(c, s);
      case "createViewUsing":
        return createViewUsing(c, s);
      case "createTable":
        return s.query === undefined ? createTable(c, s).outcome : undefined;
      case "describeQuery":
        return describeQuery(c, s);
      case "describeTable":
        return describeTable(c, s);
      case "describeFunction":
        return describeFunction(c, s);
      case "show":
        return show(c, s);
      case "set":
        return this.#set(s.key, s.value);
      case "reset":
        c.settings.reset(s.key);
        return done(s.key === undefined ? "all settings are as at the start" : `${s.key} is as at the start`);
      case "drop":
        return drop(c, s);
      case "createFunction":
        return createFunction(c, s);
      case "dropFunction":
        return dropFunction(c, s);
      case "dropVariable":
        return dropVariable(c, s);
      case "cacheTable":
        return cacheTable(c, s);
      case "uncacheTable":
        if (!s.ifExists) entryOf(c.catalog, s.name);
        return done("nothing was kept in memory");
      case "clearCache":
        return done("nothing was kept in memory");
      default:
        return undefined;
    }
  }

  #set(key: string | undefined, value: string | undefined): Outcome {
    const { settings } = this.#context;
    const columns = ["key", "value"];
    if (key === undefined) return textRows(columns, settings.entries());
    if (value !== undefined) {
      refuseVariable(this.#context, key);
      return textRows(columns, [settings.set(key, value)]);
    }
    const zone = key.toLowerCase() === "spark.sql.session.timezone" ? this.timeZone : undefined;
    return textRows(columns, [[key, settings.get(key) ?? zone ?? "<undefined>"]]);
  }

  async #running(s: Statement): Promise<Outcome> {
    const c = this.#context;
    switch (s.kind) {
      case "query": {
        const { schema, rows } = await (await c.runtime()).collect(s.query, batchCatalog(c.catalog));
        return { kind: "rows", schema, rows };
      }
      case "insert":
        return insert(c, s);
      case "createTable":
        return this.#createAs(s);
      case "declareVariable":
        return declareVariables(c, s);
      case "setVariables":
        return setVariables(c, s);
      case "setVariablesOfQuery":
        return setFromQuery(c, targetsOf(c, s.names), s.query);
      case "executeImmediate":
        return executeImmediate(c, s, (statement, text) => this.#inside(statement, text));
      case "script":
        return new ScriptRun(c, (statement) => this.#scripted(statement)).run(s.block);
      case "explain":
        return textRows(["plan"], [[await this.#explain(s.statement, EXPLAINED[s.mode])]]);
      default:
        throw new AnalysisError(`a statement ${s.kind} cannot be run`);
    }
  }

  /** A statement of a block: its names may be those of variables that are known by now. */
  #scripted(statement: Statement): Promise<Outcome> {
    if (!holdsNames(statement)) return this.#outcome(statement);
    return this.#inside(this.parsed(statement.text, NO_PARAMETERS), statement.text);
  }

  /** A statement of another text than the script's. */
  async #inside(statement: Statement, text: string): Promise<Outcome> {
    try {
      return await this.#outcome(statement);
    } catch (e) {
      throw showPlace(e, text);
    }
  }

  /** CREATE [STREAMING] TABLE … AS SELECT: the table, and an INSERT of the query. */
  async #createAs(s: Extract<Statement, { kind: "createTable" }>): Promise<Outcome> {
    const c = this.#context;
    const { outcome, created } = createTable(c, s);
    if (!created || s.query === undefined) return outcome;
    try {
      return await insert(c, {
        kind: "insert",
        table: s.name,
        columns: undefined,
        byName: false,
        overwrite: false,
        options: Object.create(null) as Record<string, string>,
        query: s.query,
      });
    } catch (e) {
      c.catalog.drop(s.name.join("."));
      throw e;
    }
  }

  async #explain(s: Statement, mode: ExplainMode): Promise<string> {
    const c = this.#context;
    const runtime = await c.runtime();
    switch (s.kind) {
      case "query":
        return runtime.explain({ relation: s.query, catalog: c.catalog }, mode);
      case "createView":
        return runtime.explain({ relation: s.query, catalog: c.catalog }, mode);
      case "insert": {
        const { streaming, ...request } = insertRequest(c, s);
        if (streaming) return runtime.explain(request, mode);
        return runtime.explain({ relation: request.relation, catalog: batchCatalog(c.catalog) }, mode);
      }
      default:
        throw new AnalysisError(
          `EXPLAIN shows the plan of a query, an INSERT or a view, not of this statement`,
        );
    }
  }
}
