/** Generators: LATERAL VIEW, table functions, and as an item of a select list. */
import type { Attribute, Expr } from "../expr/ast.ts";
import { type GeneratorDefinition, generatorDefinition } from "../expr/generators.ts";
import { lookupFunction } from "../expr/registry.ts";
import {
  type Analysis,
  fail,
  type Names,
  quoted,
  type Resolved,
  type ScopeColumn,
} from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { generatorNamed, siteOf } from "./analyse-functions.ts";
import type { Item } from "./analyse-items.ts";
import { partsOfAttribute } from "./analyse-names.ts";
import { analyseTableFunction, tableFunctionOf } from "./sql-functions.ts";
import { Subqueries } from "./analyse-subquery.ts";
import type { LogicalPlan } from "./logical.ts";
import type { Relation } from "./relation.ts";

type Call = Extract<Expr, { kind: "call" }>;

/** The call when the expression is a generator. */
export const generatorOf = (e: Expr): Call | undefined =>
  e.kind === "call" && e.udf === undefined && generatorNamed(e.fn.toLowerCase()) ? e : undefined;

const OUTER = "_outer";

/** The arguments of a call; the one of a generator with a named parameter may be given by that name. */
const argumentsOf = (e: Call, { name, parameter }: GeneratorDefinition): readonly Expr[] => {
  if (parameter === undefined) return e.args;
  const named = Object.entries(e.named ?? {});
  const stranger = named.find(([n]) => n.toLowerCase() !== parameter);
  if (stranger !== undefined)
    fail(
      "UNRECOGNIZED_PARAMETER_NAME",
      `Cannot invoke routine \`${name}\` because the routine call included a named argument reference for the argument named \`${stranger[0]}\`, but this routine does not include any signature containing an argument with this name.`,
      e.position,
    );
  if (e.args.length + named.length === 0)
    fail(
      "REQUIRED_PARAMETER_NOT_FOUND",
      `Cannot invoke routine \`${name}\` because the parameter named \`${parameter}\` is required, but the routine call did not supply a value.`,
      e.position,
    );
  return [...e.args, ...named.map(([, value]) => value)];
};

/** The plan with the generator's columns behind. */
const generate = (
  a: Analysis,
  child: Resolved,
  names: Names,
  call: Call,
  outer: boolean,
  wanted: readonly string[] | undefined,
  inFrom = false,
): { readonly plan: LogicalPlan; readonly generated: readonly Attribute[] } => {
  const fn = call.fn.toLowerCase();
  const definition = generatorDefinition(fn)!;
  const subqueries = new Subqueries(a);
  const env: Env = { analysis: a, names, visible: child, clause: "a generator", subqueries };
  const args = argumentsOf(call, definition).map((e) => typeIn(env, e));
  const resolution = definition.resolve(args, siteOf(definition.name, a.options.timeZone, call));
  const isOuter = outer || fn.endsWith(OUTER);
  const fields = resolution.output;
  if (wanted !== undefined && wanted.length !== fields.length)
    return fail(
      inFrom ? "NUM_TABLE_VALUE_ALIASES_MISMATCH" : "UDTF_ALIAS_NUMBER_MISMATCH",
      `The number of aliases supplied in the AS clause does not match the number of columns output by ${fn}. Expected ${fields.length} aliases, but got ${wanted.map((w) => quoted([w])).join(",")}.`,
      call.position,
    );
  const generated = fields.map((f, i) => a.attribute(wanted?.[i] ?? f.name, f.type, f.nullable || isOuter));
  const input = subqueries.apply(child.plan);
  const plan: LogicalPlan = Object.freeze({
    kind: "generate",
    child: input,
    fn: definition.name,
    args: resolution.args,
    outer: isOuter,
    generated,
    output: [...input.output, ...generated],
    streaming: input.streaming,
  });
  return { plan, generated };
};

export const analyseGenerate = (
  a: Analysis,
  rel: Extract<Relation, { kind: "generate" }>,
  names: Names,
): Resolved => {
  const f = rel.child.kind === "oneRow" ? tableFunctionOf(a, rel.call) : undefined;
  if (f !== undefined) return analyseTableFunction(a, rel, f, names, typeIn);
  const child = a.relation(rel.child, names);
  return generateOver(a, rel, child, names);
};

export const generateOver = (
  a: Analysis,
  rel: Extract<Relation, { kind: "generate" }>,
  child: Resolved,
  names: Names,
): Resolved => {
  const call = generatorOf(rel.call) ?? notGenerator(a, rel.call, rel.child.kind !== "oneRow");
  const inFrom = rel.child.kind === "oneRow";
  if (!inFrom && generatorDefinition(call.fn)!.tableOnly === true) return notGenerator(a, call, true);
  const columns = rel.columns !== undefined && rel.columns.length > 0 ? rel.columns : undefined;
  const { plan, generated } = generate(a, child, names, call, rel.outer, columns, inFrom);
  const qualifier = rel.tableAlias === undefined ? [] : [rel.tableAlias];
  const made = generated.map((attribute): ScopeColumn => ({ name: attribute.name, qualifier, attribute }));
  return { plan, columns: [...child.columns, ...made], hidden: child.hidden };
};

/** A function of LATERAL VIEW or FROM that makes no rows: known as another one, or not at all. */
const notGenerator = (a: Analysis, e: Expr, lateralView: boolean): never => {
  const name = e.kind === "call" ? e.fn : "the call";
  const known =
    lookupFunction(name.toLowerCase()) !== undefined || a.catalog.sqlFunction?.(name) !== undefined;
  const errorClass = lateralView
    ? known
      ? "UNSUPPORTED_GENERATOR.NOT_GENERATOR"
      : "ROUTINE_NOT_FOUND"
    : known
      ? "NOT_A_TABLE_FUNCTION"
      : "UNRESOLVABLE_TABLE_VALUED_FUNCTION";
  return fail(
    errorClass,
    `Could not resolve ${quoted([name])} to a table-valued function.`,
    e.position,
    "generators are explode, posexplode, inline, stack, json_tuple and their _outer forms",
  );
};

export interface GeneratedItem {
  readonly input: Resolved;
  readonly items: readonly Item[];
}

/** SELECT …, explode(xs) AS e, …: the generator below, its columns as items in its place. */
export const generateItem = (
  a: Analysis,
  child: Resolved,
  names: Names,
  items: readonly Item[],
  index: number,
): GeneratedItem => {
  const item = items[index]!;
  const call = generatorOf(item.expr)!;
  if (generatorDefinition(call.fn)!.tableOnly === true)
    return fail(
      "NOT_A_SCALAR_FUNCTION",
      `${quoted([call.fn])} appears as a scalar expression here, but the function was defined as a table function.`,
      call.position,
      "call it in FROM",
    );
  const { plan, generated } = generate(a, child, names, call, false, item.aliases);
  const made = generated.map((x) => ({ name: x.name, qualifier: [], attribute: x }));
  const replaced = generated.map((x): Item => ({
    expr: { kind: "column", parts: partsOfAttribute(x.id, x.name), position: item.expr.position },
    name: x.name,
    aliases: undefined,
    qualifier: [],
  }));
  return {
    // reached by id only: other items must not see the names
    input: { plan, columns: child.columns, hidden: [...child.hidden, ...made] },
    items: [...items.slice(0, index), ...replaced, ...items.slice(index + 1)],
  };
};
