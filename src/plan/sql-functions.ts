/**
 * Calls of SQL functions (CREATE FUNCTION … RETURN): the body, typed where the call stands, with the arguments cast to the parameters in place of
 * their names.
 *
 *  F1 a body sees its parameters (`x`, `f.x`), what the session has, and no column around the call.
 *  F2 a function that calls itself, through others too, is refused.
 */
import type { Attribute, Expr, TypedExpr } from "../expr/ast.ts";
import { typedCast } from "../expr/typing.ts";
import {
  type Analysis,
  fail,
  type Names,
  NO_NAMES,
  type Resolved,
  resolvedOf,
  sameName,
} from "./analyse-context.ts";
import type { Env } from "./analyse-env.ts";
import { mapExpr } from "./analyse-items.ts";
import type { SqlFunction } from "./catalog.ts";
import type { Named } from "./logical.ts";
import { project } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { replace } from "./typed.ts";

type Call = Extract<Expr, { kind: "call" }>;

/** Functions whose bodies are being typed (F2), in `Names.views` beside the views. */
const KEY = "function ";

type TypeIn = (env: Env, x: Expr) => TypedExpr;

/** Where a body is typed: its parameters are the arguments of the call. */
const bodyEnv = (
  env: Pick<Env, "analysis" | "names" | "subqueries">,
  f: SqlFunction,
  e: Call,
  typed: (x: Expr) => TypedExpr,
  typeIn: TypeIn,
): Env => {
  const key = KEY + f.name.toLowerCase();
  if (env.names.views.includes(key))
    return fail("CYCLIC_FUNCTION_REFERENCE", `Cyclic function reference detected: ${f.name}.`, e.position);
  const given = argumentsOf(f, e);
  const plain: Env = {
    analysis: env.analysis,
    names: { ...NO_NAMES, views: [...env.names.views, key] },
    visible: { columns: [], hidden: [] },
    clause: `the function ${f.name}`,
    ...(env.subqueries === undefined ? {} : { subqueries: env.subqueries }),
  };
  const values = f.parameters.map((p, i) => {
    const arg = given[i];
    const value = arg === undefined ? typeIn(plain, p.default!) : typed(arg);
    return typedCast(value, p.type, false, e.position);
  });
  const alias: NonNullable<Env["alias"]> = (parts) => {
    const at = (name: string): number => f.parameters.findIndex((p) => sameName(p.name, name));
    const qualified = parts.length > 1 && sameName(parts[0]!, f.name);
    const i = qualified ? at(parts[1]!) : at(parts[0]!);
    return i < 0 ? undefined : { base: values[i]!, rest: parts.slice(qualified ? 2 : 1) };
  };
  return { ...plain, alias };
};

/** Where Spark takes no SQL function. */
const checkPlace = (env: Env, f: SqlFunction, e: Call, inLambda: boolean): void => {
  if (inLambda)
    fail(
      "UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_SQL_UDF",
      "Using lambda functions with SQL UDFs.",
      e.position,
    );
  if (env.clause === "ORDER BY" || env.clause === "a generator")
    fail(
      "UNSUPPORTED_SQL_UDF_USAGE",
      `Using SQL function \`${f.name}\` in ${env.clause} is not supported.`,
      e.position,
      "compute it in a subquery",
    );
};

export const inlinedCall = (
  env: Env,
  e: Call,
  typed: (x: Expr) => TypedExpr,
  typeIn: TypeIn,
  inLambda: boolean,
): TypedExpr | undefined => {
  const f = env.analysis.catalog.sqlFunction?.(e.fn);
  if (f === undefined) return undefined;
  if (env.analysis.options.compatibility === "spark") checkPlace(env, f, e, inLambda);
  if (f.table !== undefined)
    return fail(
      "NOT_A_SCALAR_FUNCTION",
      `${f.name} appears as a scalar expression here, but the function was defined as a table function.`,
      e.position,
    );
  const body = bodyEnv(env, f, e, typed, typeIn);
  const inCall = JSON.stringify(e, (name, v: unknown) =>
    name === "position" ? undefined : typeof v === "bigint" ? String(v) : v,
  );
  const own = mapExpr(f.body, (x) => (x.kind === "subquery" ? { ...x, inCall } : x));
  const result = typeIn(body, own);
  return f.returns === undefined ? result : typedCast(result, f.returns, false, e.position);
};

/** The function of a call in FROM, when it is one of SQL that gives a table. */
export const tableFunctionOf = (a: Analysis, e: Expr): SqlFunction | undefined => {
  const f = e.kind === "call" ? a.catalog.sqlFunction?.(e.fn) : undefined;
  return f?.table === undefined ? undefined : f;
};

/** A call in FROM: the function's query, its parameters the arguments. */
export const analyseTableFunction = (
  a: Analysis,
  rel: Extract<Relation, { kind: "generate" }>,
  f: SqlFunction,
  names: Names,
  typeIn: TypeIn,
): Resolved => {
  const outside: Env = {
    analysis: a,
    names,
    visible: { columns: [], hidden: [] },
    clause: "a table function",
  };
  const call = rel.call as Call;
  const env = bodyEnv(outside, f, call, (x) => typeIn(outside, x), typeIn);
  const { columns: declared, query } = f.table!;
  const used = new Map<number, Attribute>();
  const inner = a.relation(query, {
    ...env.names,
    outer: {
      used,
      resolve: (parts, position) => {
        const found = env.alias!(parts, position);
        if (found === undefined) return undefined;
        replace(found.base, (x) => {
          if (x.kind === "attribute") used.set(x.id, x);
          return undefined;
        });
        return { expr: found.base, rest: found.rest };
      },
      text: () => undefined,
      star: () => undefined,
    },
  });
  const { fields } = declared ?? { fields: undefined };
  if (fields !== undefined && fields.length !== inner.columns.length)
    return fail(
      "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH",
      `User defined function is invalid: The number of columns produced by the RETURN clause (num: \`${inner.columns.length}\`) does not match the number of column names specified by the RETURNS clause (num: \`${fields.length}\`) of \`${f.name}\`.`,
      call.position,
    );
  const renamed = rel.columns;
  if (renamed !== undefined && renamed.length > 0 && renamed.length !== inner.columns.length)
    return fail(
      "NUM_TABLE_VALUE_ALIASES_MISMATCH",
      `Number of given aliases does not match number of output columns. Function name: ${f.name}; number of aliases: ${renamed.length}; number of output columns: ${inner.columns.length}.`,
      call.position,
    );
  const named = inner.columns.map((c, i): Named => {
    const to = fields?.[i];
    const expr = to === undefined ? c.attribute : typedCast(c.attribute, to.type, false, call.position);
    const name = renamed?.[i] ?? to?.name ?? c.name;
    return { attribute: a.named(name, expr), expr };
  });
  return resolvedOf(project(inner.plan, named), [rel.tableAlias ?? f.name]);
};

/** By position, by name, by default. */
const argumentsOf = (f: SqlFunction, e: Call): readonly (Expr | undefined)[] => {
  const named = Object.entries(e.named ?? {});
  const stranger = named.find(([name]) => !f.parameters.some((p) => sameName(p.name, name)));
  if (stranger !== undefined)
    fail(
      "UNRECOGNIZED_PARAMETER_NAME",
      `Cannot invoke routine \`${f.name}\` because the routine call included a named argument reference for the argument named \`${stranger[0]}\`, but this routine does not include any signature containing an argument with this name.`,
      e.position,
    );
  const required = f.parameters.filter((p) => p.default === undefined).length;
  const given = e.args.length + named.length;
  if (e.args.length > f.parameters.length || given < required)
    fail(
      "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
      `The \`${f.name}\` requires ${f.parameters.length} parameters but the actual number is ${given}.`,
      e.position,
    );
  return f.parameters.map((p, i) => {
    const byName = named.find(([name]) => sameName(name, p.name))?.[1];
    if (byName !== undefined && i < e.args.length)
      fail(
        "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED",
        `Call to routine \`${f.name}\` is invalid: the parameter \`${p.name}\` is given by position and by name.`,
        e.position,
      );
    const value = e.args[i] ?? byName;
    if (value === undefined && p.default === undefined)
      fail(
        "REQUIRED_PARAMETER_NOT_FOUND",
        `Cannot invoke routine \`${f.name}\` because the parameter named \`${p.name}\` is required, but the routine call did not supply a value.`,
        e.position,
      );
    return value;
  });
};
