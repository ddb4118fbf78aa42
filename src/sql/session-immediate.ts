/** EXECUTE IMMEDIATE: a statement as text, its parameters as values; and the names that IDENTIFIER clauses give. */
import { AnalysisError, ParseError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import { typeExpr } from "../expr/typing.ts";
import { constantOf } from "../plan/constants.ts";
import { variableOf } from "../plan/variables.ts";
import { typeName } from "../core/data-type.ts";
import { LATER } from "./name-parser.ts";
import { bindParameters } from "./parameters.ts";
import { type SessionContext, showPlace } from "./session-context.ts";
import { checkInto, evaluate, setFromQuery, targetsOf } from "./session-variables.ts";
import { parseScript, parseStatement } from "./statement-parser.ts";
import type { Statement, StatementBody } from "./statement.ts";
import { done, type Outcome } from "./statement-result.ts";

type Immediate = Extract<StatementBody, { kind: "executeImmediate" }>;

const failed = (errorClass: string, message: string): AnalysisError =>
  new AnalysisError(`[${errorClass}] ${message}`, { errorClass });

/** The texts of IDENTIFIER(…): constants, parameters and variables of the session. */
export const nameOf =
  (context: Pick<SessionContext, "catalog" | "timeZone">, parameters: ReadonlyMap<string, Expr>) =>
  (e: Expr): string => {
    const timeZone = context.timeZone();
    let columns = false;
    const scope = {
      timeZone,
      candidates: () => [],
      column: (parts: readonly string[]) => {
        const found = variableOf(context.catalog, parts);
        columns ||= found === undefined;
        return found;
      },
    };
    const refuse = (kind: string, why: string): never => {
      throw new AnalysisError(
        `[${kind}] The expression used for the routine or clause IDENTIFIER must be a constant STRING which is NOT NULL. ${why}`,
        { errorClass: kind, ...(e.position && { position: e.position }) },
      );
    };
    const bound = bindParameters(e, parameters);
    const constant = (): ReturnType<typeof typeExpr> => {
      try {
        return typeExpr(bound, scope);
      } catch (error) {
        if (columns) return refuse("NOT_A_CONSTANT_STRING.NOT_CONSTANT", "It names a column.");
        throw error;
      }
    };
    const typed = constant();
    if (typed.type.kind !== "string")
      return refuse(
        "NOT_A_CONSTANT_STRING.WRONG_TYPE",
        `The data type of the expression is ${typeName(typed.type)}.`,
      );
    const value = constantOf(typed, timeZone);
    if (value === undefined) return refuse("NOT_A_CONSTANT_STRING.NOT_CONSTANT", "It has no constant value.");
    if (value.value === null)
      return refuse("NOT_A_CONSTANT_STRING.NULL", "The expression evaluates to NULL.");
    return value.value as string;
  };

/** Whether a statement has an IDENTIFIER clause: what it gives is known when the statement runs. */
export const holdsNames = (s: Statement): boolean => /\bidentifier\s*\(/i.test(s.text);

/** Statement `i` of a script, read with the names that are known now. */
export const withNames = (
  context: SessionContext,
  text: string,
  i: number,
  parameters: ReadonlyMap<string, Expr>,
): Statement => {
  const known = nameOf(context, parameters);
  const errors: unknown[] = [];
  const places: (readonly [number, number])[] = [];
  // the statements behind this one may have names that only this one makes known
  const lenient = (e: Expr): string => {
    try {
      return known(e);
    } catch (error) {
      errors.push(error);
      places.push([e.position?.line ?? 0, e.position?.column ?? 0]);
      return LATER;
    }
  };
  const statements = parseScript(text, { timeZone: context.timeZone(), nameOf: lenient });
  const before = (a: readonly [number, number], s: Statement | undefined): boolean =>
    s === undefined || a[0] < s.position.line || (a[0] === s.position.line && a[1] < s.position.column);
  const own = places.findIndex((at) => !before(at, statements[i]) && before(at, statements[i + 1]));
  // the statements of a script are read again one by one
  if (own >= 0 && statements[i]!.kind !== "script") throw errors[own];
  return statements[i]!;
};

/** The value as a parameter: a null keeps its type. */
const parameterOf = ({ type, value }: Awaited<ReturnType<typeof evaluate>>[number]): Expr =>
  value === null && type.kind !== "null"
    ? { kind: "cast", child: { kind: "literal", value, type: { kind: "null" } }, to: type, tryCast: false }
    : { kind: "literal", value, type };

/** Names of the parameters of a statement. */
const parametersIn = (x: unknown, found: Set<string> = new Set()): ReadonlySet<string> => {
  if (Array.isArray(x)) for (const v of x) parametersIn(v, found);
  else if (typeof x === "object" && x !== null) {
    const node = x as { kind?: unknown; name?: unknown };
    if (node.kind === "parameter") found.add(String(node.name));
    else if (node.kind !== "source" && node.kind !== "rows")
      for (const v of Object.values(x)) parametersIn(v, found);
  }
  return found;
};

const argumentsFor = async (
  context: SessionContext,
  s: Immediate,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Expr>> => {
  const names = s.using.map((u) => u.name);
  const lower = names.filter((n) => n !== undefined);
  const twice = lower.find((n, i) => lower.indexOf(n) < i);
  if (twice !== undefined)
    throw failed(
      "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES",
      `The USING clause of this EXECUTE IMMEDIATE command contained multiple arguments with same alias (\`${twice}\`), which is invalid; please update the command to specify unique aliases and then try it again.`,
    );
  const positional = [...wanted].some((n) => n.startsWith("?"));
  const named = [...wanted].some((n) => !n.startsWith("?"));
  if (positional && named)
    throw failed(
      "INVALID_QUERY_MIXED_QUERY_PARAMETERS",
      "Parameterized query must either use positional, or named parameters, but not both.",
    );
  if (named && names.includes(undefined))
    throw failed(
      "ALL_PARAMETERS_MUST_BE_NAMED",
      "Using name parameterized queries requires all parameters to be named.",
    );
  const values =
    s.using.length === 0
      ? []
      : await evaluate(
          context,
          s.using.map((u) => u.value),
        );
  return new Map(values.map((v, i) => [named ? names[i]! : `?${i + 1}`, parameterOf(v)]));
};

/** Without the variables of the script around: a statement of a text sees those of the session only. */
const apart = async <T>({ catalog }: SessionContext, run: () => Promise<T>): Promise<T> => {
  const around = catalog.scopes.splice(0);
  try {
    return await run();
  } finally {
    catalog.scopes.push(...around);
  }
};

/** Runs the statement of the text by `run`. */
export const executeImmediate = async (
  context: SessionContext,
  s: Immediate,
  run: (statement: Statement, text: string) => Promise<Outcome>,
): Promise<Outcome> => {
  const [command] = await evaluate(context, [s.command]);
  if (command!.type.kind !== "string")
    throw failed(
      "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE",
      `Expression type must be string type but got "${typeName(command!.type).toUpperCase()}".`,
    );
  const text = command!.value as string | null;
  if (text === null)
    throw new ParseError(
      "[NULL_QUERY_STRING_EXECUTE_IMMEDIATE] Execute immediate requires a non-null variable as the query string.",
      {
        errorClass: "NULL_QUERY_STRING_EXECUTE_IMMEDIATE",
      },
    );
  const options = { timeZone: context.timeZone() };
  const wanted = parametersIn(parseStatement(text, options));
  const values = await argumentsFor(context, s, wanted);
  const parsed = parseStatement(text, { ...options, nameOf: nameOf(context, values) });
  const statement = bindParameters(parsed, values);
  if (s.into.length === 0) return apart(context, () => run(statement, text));
  if (statement.kind !== "query")
    throw failed(
      "INVALID_STATEMENT_FOR_EXECUTE_INTO",
      `The INTO clause of EXECUTE IMMEDIATE is only valid for queries but the given statement is not a query: ${statement.text.toUpperCase()}.`,
    );
  checkInto(context, s.into);
  const into = targetsOf(context, s.into);
  try {
    await apart(context, () => setFromQuery(context, into, statement.query));
  } catch (e) {
    throw showPlace(e, text);
  }
  return done("");
};
