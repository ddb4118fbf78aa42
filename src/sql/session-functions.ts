/** CREATE FUNCTION and DROP FUNCTION: functions of the session whose bodies are SQL. */
import { AnalysisError } from "../core/errors.ts";
import { schemaOf } from "../core/schema.ts";
import { field, typeName } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { aggregateNamed, generatorNamed } from "../plan/analyse-functions.ts";
import { someExpr } from "../plan/analyse-items.ts";
import type { SqlFunction } from "../plan/catalog.ts";
import { withoutPositions } from "./parameters.ts";
import type { Relation } from "../plan/relation.ts";
import { analysedRelation, batchCatalog, quotedName, type SessionContext } from "./session-context.ts";
import type { StatementBody } from "./statement.ts";
import { done, type Outcome, textRows } from "./statement-result.ts";

type Of<K extends StatementBody["kind"]> = Extract<StatementBody, { kind: K }>;

const failed = (errorClass: string, message: string): AnalysisError =>
  new AnalysisError(`[${errorClass}] ${message}`, { errorClass });

/** What only a query computes. */
const isComplex = (e: Expr): boolean =>
  someExpr(
    e,
    (x) =>
      x.kind === "over" ||
      (x.kind === "call" && (aggregateNamed(x.fn.toLowerCase()) || generatorNamed(x.fn.toLowerCase()))),
  );

export const createFunction = (context: SessionContext, s: Of<"createFunction">): Outcome => {
  const { catalog } = context;
  const name = s.name.at(-1)!;
  const known = catalog.sqlFunction(name) !== undefined || catalog.function(name) !== undefined;
  if (known && s.ifNotExists) return done(`function ${name} is there already`);
  if (known && !s.replace)
    throw failed(
      "ROUTINE_ALREADY_EXISTS",
      `Cannot create the routine ${quotedName([name])} because a routine of that name already exists.`,
    );
  checkDefaults(s, name);
  if (isComplex(s.body))
    throw failed(
      "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS",
      "User defined function is invalid: SQL scalar function cannot contain aggregate/window/generate functions.",
    );
  if (!known && calls(s.body, name))
    throw failed("ROUTINE_NOT_FOUND", `The routine ${quotedName(["default", name])} cannot be found.`);
  try {
    if (s.table === undefined) checkBody(context, s, name);
    else checkTable(context, s, name);
  } catch (e) {
    // Spark says so of a function inside a function
    if (!(e instanceof AnalysisError) || e.errorClass !== "UNRESOLVED_ROUTINE") throw e;
    throw failed(
      "ROUTINE_NOT_FOUND",
      `A routine in the body of ${quotedName([name])} cannot be found: ${e.message}`,
    );
  }
  const { parameters, returns, body, table } = withoutPositions({
    parameters: s.parameters,
    returns: s.returns,
    body: s.body,
    table: s.table,
  });
  const made: SqlFunction = { name, parameters, returns, body, ...(table === undefined ? {} : { table }) };
  catalog.defineSqlFunction(made);
  return done(`function ${name} is defined`);
};

const calls = (body: Expr, name: string): boolean =>
  someExpr(body, (x) => x.kind === "call" && x.fn.toLowerCase() === name.toLowerCase());

const checkDefaults = (s: Of<"createFunction">, name: string): void => {
  const at = s.parameters.findIndex(
    (p, i) => i > 0 && p.default === undefined && s.parameters[i - 1]!.default !== undefined,
  );
  if (at < 0) return;
  throw failed(
    "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION",
    `User defined function is invalid: In routine ${quotedName([name])} parameter ${quotedName([s.parameters[at - 1]!.name])} with DEFAULT must not be followed by parameter ${quotedName([s.parameters[at]!.name])} without DEFAULT.`,
  );
};

/** The body over a row of its parameters: it must be one value of the type that it returns. */
const checkBody = (context: SessionContext, s: Of<"createFunction">, name: string): void => {
  const { body, returns } = s;
  const expr: Expr =
    returns === undefined
      ? body
      : { kind: "cast", child: body, to: returns, tryCast: false, position: body.position };
  analysedRelation(context, {
    kind: "select",
    child: {
      kind: "alias",
      name,
      child: { kind: "rows", schema: schemaOf(s.parameters.map((p) => field(p.name, p.type))), rows: [] },
    },
    exprs: [expr],
  });
};

/** A table function's query, called with nulls. */
const checkTable = (context: SessionContext, s: Of<"createFunction">, name: string): void => {
  const { parameters, returns, body, table } = s;
  const { catalog } = context;
  const made: SqlFunction = { name, parameters, returns, body, ...(table === undefined ? {} : { table }) };
  const columns = parameters.map((p) => field(p.name, p.type));
  const call: Expr = {
    kind: "call",
    fn: name,
    args: parameters.map((p) => ({ kind: "column", parts: ["params", p.name] })),
  };
  const left: Relation = {
    kind: "alias",
    name: "params",
    child: { kind: "rows", schema: schemaOf(columns), rows: [] },
  };
  const right: Relation = { kind: "generate", child: { kind: "oneRow" }, call, outer: false };
  analysedRelation(
    context,
    { kind: "join", how: "inner", lateral: true, left, right },
    {
      ...batchCatalog(catalog),
      sqlFunction: (n) => (n.toLowerCase() === name.toLowerCase() ? made : catalog.sqlFunction(n)),
    },
  );
};

export const dropFunction = (context: SessionContext, s: Of<"dropFunction">): Outcome => {
  const name = s.name.at(-1)!;
  const { catalog } = context;
  if (!catalog.dropSqlFunction(name) && !catalog.dropFunction(name) && !s.ifExists)
    throw failed(
      "ROUTINE_NOT_FOUND",
      `The routine ${quotedName([name])} cannot be found. Verify the spelling and correctness of the schema and catalog.`,
    );
  return done(`function ${name} is gone`);
};

/** DESCRIBE FUNCTION of one. */
export const describeSqlFunction = (f: SqlFunction): Outcome => {
  const sql = (t: SqlFunction["parameters"][number]["type"]): string => typeName(t).toUpperCase();
  const inputs = f.parameters.map(
    (p, i) => `${i === 0 ? "Input:    " : "          "}${p.name} ${sql(p.type)}`,
  );
  const columns = (f.table?.columns?.fields ?? []).map((c) => `${c.name} ${sql(c.type)}`);
  const returns = f.table === undefined ? (f.returns === undefined ? [] : [sql(f.returns)]) : columns;
  const lines = [
    `Function: ${f.name}`,
    `Type:     ${f.table === undefined ? "SCALAR" : "TABLE"}`,
    ...inputs,
    ...returns.map((r, i) => `${i === 0 ? "Returns:  " : "          "}${r}`),
  ];
  return textRows(
    ["function_desc"],
    lines.map((line) => [line]),
  );
};
