/**
 * The type checker: an untyped expression in a scope becomes a typed one, casts explicit, names resolved. Errors are AnalysisErrors with Spark's class
 * and the position in the text. Aggregates, window calls, subqueries and stars belong to the analyser: `scope.special` is asked first for every node.
 */
import { userArguments } from "./user-arguments.ts";
import { unsupportedWithin } from "./aggregates/within-group.ts";
import { BOOLEAN, type DataType, INT, NULL, sameType, STRING } from "../core/data-type.ts";
import type { Expr, LambdaVariable, SourcePosition, TypedExpr, UserFunction } from "./ast.ts";
import { castAllowed, castTo, losesKeys, commonType, isIntegral, isNumeric } from "./coercion.ts";
import { fold } from "./fold.ts";
import type { CallSite } from "./function.ts";
import { functionNames, lookupFunction } from "./registry.ts";
import type { Scope } from "./scope.ts";
import { nearest } from "./suggestion.ts";
import {
  analysisError,
  describeTyped,
  differentTypes,
  mismatch,
  sqlType,
  unexpectedInput,
} from "./type-errors.ts";

/** Scope plus the lambda variables around the expression, innermost last. */
interface Context {
  readonly scope: Scope;
  readonly variables: readonly LambdaVariable[];
}

type Of<K extends Expr["kind"]> = Extract<Expr, { kind: K }>;

const nullLiteral = (type: DataType): TypedExpr => ({ kind: "literal", value: null, type, nullable: true });

const siteOf = (fn: string, context: Context, position: SourcePosition | undefined): CallSite => ({
  fn,
  timeZone: context.scope.timeZone,
  position,
  fold: (e) => fold(e, context.scope.timeZone),
});

const quoted = (parts: readonly string[]): string => parts.map((p) => `\`${p}\``).join(".");

const unresolvedColumn = (e: Of<"column">, scope: Scope): Error => {
  const name = quoted(e.parts);
  const bare = (c: string): string => c.slice(c.lastIndexOf(".`") + 1).replaceAll("`", "");
  const near = nearest(e.parts.at(-1)!, scope.candidates(), bare);
  const what = `A column, variable, or function parameter with name ${name} cannot be resolved.`;
  if (near.length === 0) return analysisError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", what, e.position);
  return analysisError(
    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    `${what} Did you mean one of the following? [${near.join(", ")}].`,
    e.position,
    `did you mean ${near[0]}?`,
  );
};

/** A struct's field by name (any case). Throws FIELD_NOT_FOUND or AMBIGUOUS_REFERENCE_TO_FIELDS. */
const structField = (child: TypedExpr, name: string, position: SourcePosition | undefined): TypedExpr => {
  const fields = (child.type as Extract<DataType, { kind: "struct" }>).fields;
  const lower = name.toLowerCase();
  const found = fields.flatMap((f, i) => (f.name.toLowerCase() === lower ? [i] : []));
  if (found.length > 1)
    throw analysisError(
      "AMBIGUOUS_REFERENCE_TO_FIELDS",
      `Ambiguous reference to the field \`${name}\`. It appears ${found.length} times in the schema.`,
      position,
    );
  if (found.length === 0)
    throw analysisError(
      "FIELD_NOT_FOUND",
      `No such struct field \`${name}\` in ${fields.map((f) => `\`${f.name}\``).join(", ")}.`,
      position,
    );
  const f = fields[found[0]!]!;
  return {
    kind: "field",
    child,
    index: found[0]!,
    type: f.type,
    nullable: child.nullable || f.nullable,
    position,
  };
};

const call = (
  fn: string,
  args: readonly TypedExpr[],
  context: Context,
  position: SourcePosition | undefined,
): TypedExpr => {
  const definition = lookupFunction(fn)!;
  const { replacement, ...r } = definition.resolve(args, siteOf(fn, context, position));
  return replacement ?? { kind: "call", fn: definition.name, ...r, position };
};

/** `child.name`: of a struct, of every struct of an array, of a map by key, of a variant by path. */
const fieldOf = (
  child: TypedExpr,
  name: string,
  context: Context,
  position: SourcePosition | undefined,
): TypedExpr => {
  const t = child.type;
  const text: TypedExpr = { kind: "literal", value: name, type: STRING, nullable: false };
  if (t.kind === "struct") return structField(child, name, position);
  if (t.kind === "array" && t.element.kind === "struct") {
    const inner = structField(
      { kind: "literal", value: null, type: t.element, nullable: false },
      name,
      position,
    );
    const index: TypedExpr = {
      kind: "literal",
      value: (inner as { index: number }).index,
      type: INT,
      nullable: false,
    };
    return call("array_field", [child, index], context, position);
  }
  // The name is no index.
  if (t.kind === "array" || t.kind === "map") return call("item", [child, text], context, position);
  throw analysisError(
    "INVALID_EXTRACT_BASE_FIELD_TYPE",
    `Can't extract a value from "${describeTyped(child)}". Need a complex type [STRUCT, ARRAY, MAP] but got "${sqlType(t)}".`,
    position,
  );
};

const column = (e: Of<"column">, context: Context): TypedExpr => {
  const first = e.parts[0]!.toLowerCase();
  const variable = context.variables.findLast((v) => v.name.toLowerCase() === first);
  const resolved =
    variable === undefined
      ? context.scope.column(e.parts, e.position)
      : { expr: variable as TypedExpr, rest: e.parts.slice(1) };
  if (resolved === undefined) throw unresolvedColumn(e, context.scope);
  const base = e.position === undefined ? resolved.expr : { ...resolved.expr, position: e.position };
  return resolved.rest.reduce<TypedExpr>((child, name) => fieldOf(child, name, context, e.position), base);
};

const unresolvedRoutine = (e: Of<"call">, scope: Scope): Error => {
  const near = nearest(
    e.fn,
    [...functionNames(), ...(scope.functionNames?.() ?? [])].filter((n) => /^[a-z]/.test(n)),
    undefined,
    3,
  );
  return analysisError(
    "UNRESOLVED_ROUTINE",
    `Cannot resolve routine \`${e.fn}\` on search path [\`system\`.\`builtin\`, \`system\`.\`session\`].`,
    e.position,
    `did you mean ${near.join(" or ")}?`,
  );
};

const userCall = (e: Of<"call">, udf: UserFunction, context: Context): TypedExpr => {
  const site = siteOf(udf.name, context, e.position);
  const raw = e.args.map((a) => typeIn(a, context));
  const args = userArguments(udf, raw, site);
  return { kind: "call", fn: udf.name, args, udf, type: udf.returns, nullable: true, position: e.position };
};

const lambda = (
  e: Of<"lambda">,
  types: readonly { type: DataType; nullable: boolean }[],
  context: Context,
): TypedExpr => {
  const depth = context.variables.length;
  const parameters = e.parameters.map((name, i): LambdaVariable => ({
    kind: "variable",
    id: depth + i,
    name,
    ...types[i]!,
  }));
  const body = typeIn(e.body, { ...context, variables: [...context.variables, ...parameters] });
  return { kind: "lambda", parameters, body, type: body.type, nullable: body.nullable, position: e.position };
};

/** `struct(a AS x, …)` names its fields: named_struct. Aliases mean nothing in other calls. */
const namedStruct = (e: Of<"call">): Of<"call"> => ({
  ...e,
  fn: "named_struct",
  args: e.args.flatMap((a, i): Expr[] => {
    const name =
      a.kind === "alias"
        ? a.names[0]!
        : a.kind === "column"
          ? a.parts.at(-1)!
          : a.kind === "field"
            ? a.name
            : `col${i + 1}`;
    return [{ kind: "literal", value: name, type: STRING }, a];
  }),
});

const functionCall = (e: Of<"call">, context: Context): TypedExpr => {
  if (e.fn.toLowerCase() === "struct" && e.args.some((a) => a.kind === "alias"))
    return functionCall(namedStruct(e), context);
  if (e.udf !== undefined) return userCall(e, e.udf, context);
  const session = context.scope.userFunction?.(e.fn);
  if (session !== undefined) return userCall(e, session, context);
  const definition = lookupFunction(e.fn);
  if (definition === undefined) {
    const inlined = context.scope.inlined?.(e, (x) => typeIn(x, context), context.variables.length > 0);
    if (inlined !== undefined) return inlined;
    throw unresolvedRoutine(e, context.scope);
  }
  const site = siteOf(e.fn.toLowerCase(), context, e.position);
  if (e.orderBy !== undefined && e.orderBy.length > 0) throw unsupportedWithin(site.fn, site);
  const args: TypedExpr[] = [];
  for (const [i, a] of e.args.entries()) {
    if (a.kind !== "lambda") args.push(typeIn(a, context));
    else {
      const parameters = definition.resolve.lambdaParameters?.(i, args, a.parameters.length, site);
      if (parameters === undefined)
        throw analysisError(
          "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION",
          `A lambda function should only be used in a higher order function. However, its class is \`${e.fn}\`.`,
          a.position,
        );
      args.push(lambda(a, parameters, context));
    }
  }
  // what is a column by now (an aggregate, a window function) and was written as another thing has no name
  if (site.fn === "struct" && args.some((a, k) => a.kind === "attribute" && e.args[k]!.kind !== "column"))
    return functionCall(namedStruct(e), context);
  const { replacement, ...r } = definition.resolve(args, site);
  return (
    replacement ?? {
      kind: "call",
      fn: definition.name,
      args: r.args,
      type: r.type,
      nullable: r.nullable,
      position: e.position,
    }
  );
};

/** What Spark casts only with ANSI rules off. */
const castWithoutAnsi = (from: DataType, to: DataType): boolean =>
  (isIntegral(from) && to.kind === "binary") ||
  (from.kind === "boolean" && to.kind === "timestamp") ||
  ((from.kind === "date" || from.kind === "timestamp") && to.kind === "boolean");

/** An explicit cast. Throws DATATYPE_MISMATCH.CAST_…. */
export const typedCast = (
  child: TypedExpr,
  to: DataType,
  tryCast: boolean,
  position?: SourcePosition,
): TypedExpr => {
  const from = child.type;
  if (!castAllowed(from, to) || (tryCast && losesKeys(from, to))) {
    const suggestion =
      isNumeric(from) && to.kind === "date"
        ? "DATE_FROM_UNIX_DATE"
        : from.kind === "date" && isNumeric(to)
          ? "UNIX_DATE"
          : undefined;
    const kind =
      suggestion !== undefined
        ? "CAST_WITH_FUNC_SUGGESTION"
        : !tryCast && castWithoutAnsi(from, to)
          ? "CAST_WITH_CONF_SUGGESTION"
          : "CAST_WITHOUT_SUGGESTION";
    throw analysisError(
      `DATATYPE_MISMATCH.${kind}`,
      `Cannot resolve "${tryCast ? "TRY_CAST" : "CAST"}(${describeTyped(child)} AS ${sqlType(to)})" due to data type mismatch: cannot cast "${sqlType(from)}" to "${sqlType(to)}".` +
        (suggestion === undefined
          ? ""
          : ` To convert values from "${sqlType(from)}" to "${sqlType(to)}", you can use the functions \`${suggestion}\` instead.`),
      position,
    );
  }
  // A literal that was cast is no literal any more: beside a decimal it counts with its type's digits.
  const e: TypedExpr =
    child.kind === "literal" && child.value !== null && sameType(from, to)
      ? { kind: "cast", child, type: to, tryCast, nullable: child.nullable }
      : castTo(child, to, tryCast);
  return position === undefined ? e : { ...e, position };
};

const caseWhen = (e: Of<"case">, context: Context): TypedExpr => {
  const site = siteOf("casewhen", context, e.position);
  const branches = e.branches.map(([c, v]) => [typeIn(c, context), typeIn(v, context)] as const);
  const otherwise = e.otherwise === undefined ? undefined : typeIn(e.otherwise, context);
  const conditions = branches.map(([c]) => c);
  conditions.forEach((c, i) => {
    if (c.type.kind !== "boolean") throw unexpectedInput(site, conditions, i, `"BOOLEAN"`);
  });
  const values = [...branches.map(([, v]) => v), ...(otherwise === undefined ? [] : [otherwise])];
  const type = commonType(values.map((v) => v.type));
  if (type === undefined) throw differentTypes(site, values);
  return {
    kind: "case",
    branches: branches.map(([c, v]) => [c, castTo(v, type)] as const),
    otherwise: otherwise === undefined ? nullLiteral(type) : castTo(otherwise, type),
    type,
    nullable: otherwise === undefined || values.some((v) => v.nullable),
    position: e.position,
  };
};

const item = (e: Of<"item">, context: Context): TypedExpr => {
  const child = typeIn(e.child, context);
  if (child.type.kind === "struct" && e.key.kind === "literal" && typeof e.key.value === "string")
    return structField(child, e.key.value, e.position);
  const key = typeIn(e.key, context);
  if (
    child.type.kind === "array" &&
    child.type.element.kind === "struct" &&
    key.kind === "literal" &&
    typeof key.value === "string"
  )
    return fieldOf(child, key.value, context, e.position);
  return call("item", [child, key], context, e.position);
};

const parameter = (e: Of<"parameter">, context: Context): TypedExpr => {
  const p = context.scope.parameter?.(e.name);
  if (p === undefined)
    throw analysisError(
      "UNBOUND_SQL_PARAMETER",
      `Found the unbound parameter: ${e.name}. Please, fix \`args\` and provide a mapping of the parameter to either a SQL literal or collection constructor functions such as \`map()\`, \`array()\`, \`struct()\`.`,
      e.position,
    );
  return p;
};

const typeIn = (e: Expr, context: Context): TypedExpr => {
  const special = context.scope.special?.(e);
  if (special !== undefined) return special;
  switch (e.kind) {
    case "literal":
      return {
        kind: "literal",
        value: e.value,
        type: e.value === null ? (e.type ?? NULL) : e.type,
        nullable: e.value === null,
        position: e.position,
      };
    case "column":
      return column(e, context);
    case "alias":
      return typeIn(e.child, context);
    case "call":
      return functionCall(e, context);
    case "cast":
      return typedCast(typeIn(e.child, context), e.to, e.tryCast, e.position);
    case "case":
      return caseWhen(e, context);
    case "field":
      return fieldOf(typeIn(e.child, context), e.name, context, e.position);
    case "item":
      return item(e, context);
    case "parameter":
      return parameter(e, context);
    case "lambda":
      throw analysisError(
        "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION",
        "A lambda function should only be used in a higher order function.",
        e.position,
      );
    case "star":
      throw analysisError(
        "INVALID_USAGE_OF_STAR_OR_REGEX",
        "Invalid usage of '*' in expression.",
        e.position,
      );
    case "over":
      throw analysisError(
        "UNSUPPORTED_EXPR_FOR_OPERATOR",
        "A window expression is not allowed here.",
        e.position,
      );
    case "subquery":
      throw analysisError(
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY",
        "A subquery is not allowed here.",
        e.position,
      );
  }
};

/** Types an expression in a scope. Throws AnalysisError. */
export const typeExpr = (expr: Expr, scope: Scope): TypedExpr => typeIn(expr, { scope, variables: [] });

/** Types a condition: it must be boolean. Throws DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN. */
export const typeCondition = (expr: Expr, scope: Scope, what = "Filter"): TypedExpr => {
  const e = typeExpr(expr, scope);
  if (e.type.kind === "boolean") return e;
  if (e.type.kind === "null") return castTo(e, BOOLEAN);
  throw mismatch(
    "FILTER_NOT_BOOLEAN",
    { fn: what.toLowerCase(), timeZone: scope.timeZone, position: expr.position },
    [e],
    `${what} expression "${describeTyped(e)}" of type "${sqlType(e.type)}" is not a boolean.`,
  );
};
