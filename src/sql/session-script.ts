/**
 * Runs a SQL script (BEGIN … END).
 *
 *  X1  The result is that of the last statement that gave rows, a handler's included.
 *  X2  Variables of a block end with it; a handler of the innermost block that has one for an error takes it.
 *  X3  EXIT leaves the handler's block; CONTINUE goes on behind the statement that failed.
 */
import { AnalysisError, MillraceError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import type { Expr } from "../expr/ast.ts";
import type { SessionVariable } from "../plan/catalog.ts";
import type { ScriptBlock, ScriptHandler, ScriptNode } from "./script.ts";
import { batchCatalog, type SessionContext } from "./session-context.ts";
import { evaluate } from "./session-variables.ts";
import type { Statement } from "./statement.ts";
import { done, type Outcome } from "./statement-result.ts";

/** LEAVE and ITERATE on their way to their label. */
class Jump extends Error {
  readonly jump: "leave" | "iterate";
  readonly label: string;
  constructor(jump: "leave" | "iterate", label: string) {
    super(`no block or loop has the label ${label}`);
    this.jump = jump;
    this.label = label;
  }
}

/** An error that a handler of an outer block takes, on its way to it. */
class Handled extends Error {
  readonly block: ScriptBlock;
  constructor(block: ScriptBlock) {
    super("handled");
    this.block = block;
  }
}

const failed = (errorClass: string, message: string): AnalysisError =>
  new AnalysisError(`[${errorClass}] ${message}`, { errorClass });

/** SQLSTATEs of what fails while a query runs. */
const STATES: Readonly<Record<string, string>> = {
  DIVIDE_BY_ZERO: "22012",
  REMAINDER_BY_ZERO: "22012",
  CAST_INVALID_INPUT: "22018",
  CAST_OVERFLOW: "22003",
  ARITHMETIC_OVERFLOW: "22003",
  NUMERIC_VALUE_OUT_OF_RANGE: "22003",
  INVALID_ARRAY_INDEX: "22003",
  INVALID_ARRAY_INDEX_IN_ELEMENT_AT: "22003",
  CANNOT_PARSE_TIMESTAMP: "22007",
  SCALAR_SUBQUERY_TOO_MANY_ROWS: "21000",
  ROW_SUBQUERY_TOO_MANY_ROWS: "21000",
  TABLE_OR_VIEW_NOT_FOUND: "42P01",
  UNRESOLVED_COLUMN: "42703",
  UNRESOLVED_ROUTINE: "42883",
  DATATYPE_MISMATCH: "42K09",
  USER_RAISED_EXCEPTION: "P0001",
};

const matches = (handler: ScriptHandler, error: unknown): boolean => {
  if (!(error instanceof MillraceError)) return false;
  const own = error.errorClass?.toUpperCase() ?? "";
  const main = own.split(".")[0]!;
  const state = Object.hasOwn(STATES, main) ? `SQLSTATE ${STATES[main]!}` : undefined;
  return handler.conditions.some((c) => c === "SQLEXCEPTION" || c === own || c === main || c === state);
};

export class ScriptRun {
  readonly #context: SessionContext;
  readonly #run: (statement: Statement) => Promise<Outcome>;
  readonly #blocks: ScriptBlock[] = [];
  /** Handlers at work: an error in one is for the blocks around. */
  readonly #busy = new Set<ScriptHandler>();
  #result: Outcome = done("");

  constructor(context: SessionContext, run: (statement: Statement) => Promise<Outcome>) {
    this.#context = context;
    this.#run = run;
  }

  async run(block: ScriptBlock): Promise<Outcome> {
    const { scopes } = this.#context.catalog;
    const before = scopes.length;
    try {
      await this.#block(block);
      return this.#result;
    } catch (e) {
      if (e instanceof Jump)
        throw failed(
          "INVALID_LABEL_USAGE.DOES_NOT_EXIST",
          `The label ${e.label} does not exist around ${e.jump.toUpperCase()}.`,
        );
      throw e;
    } finally {
      scopes.length = before;
    }
  }

  async #block(block: ScriptBlock): Promise<void> {
    if (this.#context.compatibility === "spark" && block.handlers.some((h) => h.action === "continue"))
      throw failed(
        "UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER",
        "CONTINUE exception handler is not supported. Use EXIT handler.",
      );
    const { scopes } = this.#context.catalog;
    const depth = scopes.length;
    scopes.push({ label: block.label, declares: true, variables: new Map() });
    this.#blocks.push(block);
    try {
      await this.#nodes(block.body);
    } catch (e) {
      if (e instanceof Handled && e.block === block) return;
      if (e instanceof Jump && e.jump === "leave" && e.label === block.label) return;
      throw e;
    } finally {
      scopes.length = depth;
      this.#blocks.pop();
    }
  }

  async #nodes(nodes: readonly ScriptNode[]): Promise<void> {
    for (const node of nodes) {
      try {
        await this.#node(node);
      } catch (e) {
        await this.#handle(e);
      }
    }
  }

  /** Gives the error to its handler; throws it when there is none, and what leaves the block of an EXIT. */
  async #handle(error: unknown): Promise<void> {
    if (error instanceof Jump || error instanceof Handled) throw error;
    for (const block of this.#blocks.toReversed()) {
      const handler = block.handlers.find((h) => !this.#busy.has(h) && matches(h, error));
      if (handler === undefined) continue;
      this.#busy.add(handler);
      try {
        await this.#node(handler.body);
      } finally {
        this.#busy.delete(handler);
      }
      if (handler.action === "exit") throw new Handled(block);
      return;
    }
    throw error;
  }

  async #node(node: ScriptNode): Promise<void> {
    switch (node.kind) {
      case "block":
        return this.#block(node);
      case "statement": {
        const outcome = await this.#run(node.statement);
        const gives = ["query", "executeImmediate"].includes(node.statement.kind);
        if (outcome.kind === "rows" && gives) this.#result = outcome;
        return;
      }
      case "if":
        return this.#branches(node);
      case "loop":
        return this.#loop(node);
      case "for":
        return this.#each(node);
      default:
        throw new Jump(node.kind, node.label);
    }
  }

  async #branches(node: Extract<ScriptNode, { kind: "if" }>): Promise<void> {
    for (const [condition, body] of node.branches) if (await this.#holds(condition)) return this.#nodes(body);
    return this.#nodes(node.otherwise ?? []);
  }

  async #holds(condition: Expr): Promise<boolean> {
    const [found] = await evaluate(this.#context, [condition]);
    if (found!.type.kind !== "boolean")
      throw failed("INVALID_BOOLEAN_STATEMENT", "Boolean statement is expected in the condition.");
    return found!.value === true;
  }

  /** A round of a loop; false when LEAVE ends it. */
  async #round(label: string | undefined, body: readonly ScriptNode[]): Promise<boolean> {
    const { scopes } = this.#context.catalog;
    const depth = scopes.length;
    try {
      await this.#nodes(body);
    } catch (e) {
      if (!(e instanceof Jump) || e.label !== label) throw e;
      return e.jump === "iterate";
    } finally {
      scopes.length = depth;
    }
    return true;
  }

  async #loop(node: Extract<ScriptNode, { kind: "loop" }>): Promise<void> {
    while (node.condition === undefined || (await this.#holds(node.condition))) {
      if (!(await this.#round(node.label, node.body))) return;
      if (node.until !== undefined && (await this.#holds(node.until))) return;
    }
  }

  /** FOR: the columns of each row are variables, and so is the row as a struct where it has a name. */
  async #each(node: Extract<ScriptNode, { kind: "for" }>): Promise<void> {
    const { catalog } = this.#context;
    const runtime = await this.#context.runtime();
    const { schema, rows } = await runtime.collect(node.query, batchCatalog(catalog));
    const type = { kind: "struct", fields: schema.fields } as const;
    for (const row of rows) {
      const of = (name: string, t: SessionVariable["type"], value: Value): [string, SessionVariable] => [
        name.toLowerCase(),
        { name, type: t, value, default: undefined },
      ];
      const columns = schema.fields.map((f, i) => of(f.name, f.type, row[i]!));
      const whole = node.variable === undefined ? [] : [of(node.variable, type, row)];
      const depth = catalog.scopes.length;
      catalog.scopes.push({ label: undefined, declares: false, variables: new Map([...columns, ...whole]) });
      const goesOn = await this.#round(node.label, node.body).finally(() => {
        catalog.scopes.length = depth;
      });
      if (!goesOn) return;
    }
  }
}
