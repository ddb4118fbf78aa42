/**
 * Variables of a session: DECLARE, SET VARIABLE, DROP VARIABLE, and the values of expressions outside of queries.
 *
 *  V1  All values of one SET are computed before the first variable changes.
 *  V2  A variable keeps its type: what it is set to is cast to it.
 */
import type { DataType } from "../core/data-type.ts";
import { AnalysisError, ExecutionError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import type { Expr } from "../expr/ast.ts";
import type { SessionVariable, VariableScope } from "../plan/catalog.ts";
import type { Relation } from "../plan/relation.ts";
import { withoutPositions } from "./parameters.ts";
import { analysedRelation, batchCatalog, quotedName, type SessionContext } from "./session-context.ts";
import type { StatementBody } from "./statement.ts";
import { done, type Outcome } from "./statement-result.ts";

type Of<K extends StatementBody["kind"]> = Extract<StatementBody, { kind: K }>;
type Name = readonly string[];

const failed = (errorClass: string, message: string): AnalysisError =>
  new AnalysisError(`[${errorClass}] ${message}`, { errorClass });

export interface Evaluated {
  readonly type: DataType;
  readonly value: Value;
}

/** The values of expressions, subqueries included. */
export const evaluate = async (
  context: SessionContext,
  exprs: readonly Expr[],
): Promise<readonly Evaluated[]> => {
  const query: Relation = {
    kind: "select",
    child: { kind: "oneRow" },
    exprs: exprs.map((child, i) => ({ kind: "alias", child, names: [`c${i}`] })),
  };
  const { schema, rows } = await (await context.runtime()).collect(query, batchCatalog(context.catalog));
  return schema.fields.map((f, i) => ({ type: f.type, value: rows[0]![i]! }));
};

const cast = (child: Expr, to: DataType | undefined): Expr =>
  to === undefined ? child : { kind: "cast", child, to, tryCast: false, position: child.position };

/** The name without the schema of variables. Throws UNRESOLVED_VARIABLE for another one. */
const ownName = (name: Name): string => {
  const around = name.slice(0, -1).join(".").toLowerCase();
  if (["", "session", "system.session"].includes(around)) return name.at(-1)!;
  throw failed(
    "UNRESOLVED_VARIABLE",
    `Cannot resolve variable ${quotedName(name)} on search path [\`system\`.\`session\`].`,
  );
};

const holdsSubquery = (x: unknown): boolean => {
  if (Array.isArray(x)) return x.some(holdsSubquery);
  if (typeof x !== "object" || x === null) return false;
  return (x as { kind?: unknown }).kind === "subquery" || Object.values(x).some(holdsSubquery);
};

/** DECLARE: into the innermost block of the script that runs, else the session. */
export const declareVariables = async (
  context: SessionContext,
  s: Of<"declareVariable">,
): Promise<Outcome> => {
  const { catalog } = context;
  const block = catalog.scopes.findLast((scope) => scope.declares);
  const scope = block ?? catalog.sessionVariables;
  const names = s.names.map((name) => (block === undefined ? ownName(name) : name.at(-1)!));
  for (const name of names) {
    if (s.replace || !scope.variables.has(name.toLowerCase())) continue;
    throw failed(
      "VARIABLE_ALREADY_EXISTS",
      `Cannot create the variable \`system\`.\`session\`.${quotedName([name])} because it already exists.`,
    );
  }
  if (block === undefined && holdsSubquery(s.default))
    throw failed(
      "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION",
      `Failed to execute DECLARE VARIABLE command because the variable ${quotedName(s.names[0]!)} has a DEFAULT value which contains subquery expressions. Use SET VARIABLE.`,
    );
  const initial = s.default === undefined ? undefined : cast(s.default, s.type);
  const [found] = initial === undefined ? [] : await evaluate(context, [initial]);
  const { type, value } = found ?? { type: s.type!, value: null };
  for (const name of names)
    scope.variables.set(name.toLowerCase(), { name, type, value, default: withoutPositions(initial) });
  return done(`variable ${names.join(", ")} is defined`);
};

/** A variable that is assigned to, and where it is declared. */
export interface Target {
  readonly scope: VariableScope;
  readonly variable: SessionVariable;
}

/** The variable of a name. */
const targetOf = (context: SessionContext, name: Name): Target | undefined => {
  const { catalog } = context;
  const found = catalog.variable(name);
  if (found === undefined || found.rest.length > 0) return undefined;
  const own = found.variable;
  const key = own.name.toLowerCase();
  const scope = catalog.scopes.findLast((s) => s.variables.get(key) === own) ?? catalog.sessionVariables;
  return { scope, variable: own };
};

/** The variables of these names. */
export const targetsOf = (context: SessionContext, names: readonly Name[]): readonly Target[] => {
  const targets = names.map((name) => {
    const target = targetOf(context, name);
    if (target !== undefined) return target;
    throw failed(
      "UNRESOLVED_VARIABLE",
      `Cannot resolve variable ${quotedName(name)} on search path [\`system\`.\`builtin\`, \`system\`.\`session\`, \`spark_catalog\`.\`default\`].`,
    );
  });
  const twice = targets.find((t, i) => targets.findIndex((o) => o.variable === t.variable) < i);
  if (twice !== undefined)
    throw failed(
      "DUPLICATE_ASSIGNMENTS",
      `The columns or variables ${quotedName([twice.variable.name])} appear more than once as assignment targets.`,
    );
  return targets;
};

const put = ({ scope, variable }: Target, value: Value): void => {
  scope.variables.set(variable.name.toLowerCase(), { ...variable, value });
};

const nullOf = (type: DataType): Expr => ({ kind: "literal", value: null, type });

export const setVariables = async (context: SessionContext, s: Of<"setVariables">): Promise<Outcome> => {
  const targets = targetsOf(
    context,
    s.assignments.map((a) => a.name),
  );
  const exprs = s.assignments.map(({ value }, i) => {
    const { variable } = targets[i]!;
    return cast(value ?? variable.default ?? nullOf(variable.type), variable.type);
  });
  const values = await evaluate(context, exprs);
  targets.forEach((t, i) => {
    put(t, values[i]!.value);
  });
  return done("");
};

/** The row of a query into variables; null where it has none. */
export const setFromQuery = async (
  context: SessionContext,
  targets: readonly Target[],
  query: Relation,
): Promise<Outcome> => {
  const catalog = batchCatalog(context.catalog);
  const { fields } = analysedRelation(context, query, catalog).schema;
  if (fields.length !== targets.length)
    throw failed(
      "ASSIGNMENT_ARITY_MISMATCH",
      `The number of columns or variables assigned or aliased: ${targets.length} does not match the number of source expressions: ${fields.length}.`,
    );
  const columns = targets.map((_, i) => `c${i}`);
  const assigned: Relation = {
    kind: "select",
    child: { kind: "alias", child: query, name: "assigned", columns },
    exprs: targets.map(({ variable }, i) => cast({ kind: "column", parts: [columns[i]!] }, variable.type)),
  };
  const { rows } = await (await context.runtime()).collect(assigned, catalog);
  if (rows.length > 1)
    throw new ExecutionError(
      "[ROW_SUBQUERY_TOO_MANY_ROWS] More than one row returned by a subquery used as a row.",
      { errorClass: "ROW_SUBQUERY_TOO_MANY_ROWS" },
    );
  targets.forEach((t, i) => {
    put(t, rows[0]?.[i] ?? null);
  });
  return done("");
};

export const dropVariable = (context: SessionContext, s: Of<"dropVariable">): Outcome => {
  const name = ownName(s.name);
  if (!context.catalog.sessionVariables.variables.delete(name.toLowerCase()) && !s.ifExists)
    throw failed(
      "VARIABLE_NOT_FOUND",
      `The variable \`system\`.\`session\`.${quotedName([name])} cannot be found. Verify the spelling and correctness of the schema and catalog.`,
    );
  return done(`variable ${name} is gone`);
};

/** Whether SET means a variable: Spark refuses that. */
export const refuseVariable = (context: SessionContext, key: string): void => {
  if (targetOf(context, key.split(".")) === undefined) return;
  throw failed(
    "UNSUPPORTED_FEATURE.SET_VARIABLE_USING_SET",
    `The feature is not supported: ${quotedName([key])} is a VARIABLE and cannot be updated using the SET statement. Use SET VARIABLE ${quotedName([key])} = ... instead.`,
  );
};

/** INTO: names that are no variables are columns that do not exist. */
export const checkInto = (context: SessionContext, names: readonly Name[]): void => {
  const stranger = names.find((name) => targetOf(context, name) === undefined);
  if (stranger !== undefined)
    throw failed(
      "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
      `A column, variable, or function parameter with name ${quotedName(stranger)} cannot be resolved.`,
    );
};
