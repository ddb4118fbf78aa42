/**
 * Generator functions: one row in, any number of rows out (`LATERAL VIEW explode(…)`, `SELECT inline(…)`). G1: `_outer` forms give one row of nulls where the
 * plain form gives none.
 */
import { type DataType, field, type Field, INT, LONG, NULL, STRING, typeName } from "../core/data-type.ts";
import { canonicalLong, type Row, type Value } from "../core/value.ts";
import type { TypedExpr } from "./ast.ts";
import { castTo, coerce } from "./coercion.ts";
import type { CallSite } from "./function.ts";
import { constantOf, failure } from "./functions/definition.ts";
import { jsonFields } from "./json-path.ts";
import { fromVariant, toVariant } from "./variant.ts";
import { analysisError, mismatch, unexpectedInput, wrongNumberOfArguments } from "./type-errors.ts";

export interface GeneratorResolution {
  readonly args: readonly TypedExpr[];
  readonly output: readonly Field[];
}

export interface GeneratorDefinition {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly examples?: readonly (readonly [string, string])[];
  /** Coerced arguments and the columns of the rows. Throws AnalysisError. */
  readonly resolve: (args: readonly TypedExpr[], site: CallSite) => GeneratorResolution;
  readonly generate: (args: readonly Value[]) => readonly Row[];
  /** The name of its one parameter, where it may be given by name. */
  readonly parameter?: string;
  /** Stands in FROM only. */
  readonly tableOnly?: boolean;
  /** May stand alone as a table function (`FROM range(10)`). */
  readonly table?: boolean;
}

type List = readonly Value[];

const one = (args: readonly TypedExpr[], site: CallSite): TypedExpr => {
  if (args.length !== 1) throw wrongNumberOfArguments(site, "1", args.length);
  return args[0]!;
};

const elementFields = (t: DataType, outer: boolean): readonly Field[] | undefined => {
  if (t.kind === "array") return [field("col", t.element, t.containsNull || outer)];
  if (t.kind === "map")
    return [field("key", t.key, outer), field("value", t.value, t.valueContainsNull || outer)];
  return undefined;
};

const exploding =
  (outer: boolean, positions: boolean) =>
  (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
    const arg = one(args, site);
    const fields = elementFields(arg.type, outer);
    if (fields === undefined) throw unexpectedInput(site, args, 0, `("ARRAY" or "MAP")`);
    return { args, output: positions ? [field("pos", INT, outer), ...fields] : fields };
  };

const isEntry = (v: Value): v is readonly [Value, Value] => Array.isArray(v);

/** Rows of an array or map. Only maps hold pairs, and only the type tells a map from an array of arrays: it comes with the first argument. */
const explodeRows = (v: Value, map: boolean): Row[] => {
  if (v === null) return [];
  return (v as List).map((x) => (map && isEntry(x) ? [x[0], x[1]] : [x]));
};

const inlineFields =
  (outer: boolean) =>
  (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
    const t = one(args, site).type;
    if (t.kind !== "array" || t.element.kind !== "struct")
      throw unexpectedInput(site, args, 0, `"ARRAY<STRUCT>"`);
    return {
      args,
      output: t.element.fields.map((f) => field(f.name, f.type, f.nullable || outer || t.containsNull)),
    };
  };

const inlineRows = (v: Value, width: number): Row[] =>
  v === null ? [] : (v as List).map((x) => (x === null ? new Array<Value>(width).fill(null) : (x as Row)));

/** stack(n, a, b, …): n rows of ceil(count / n) columns; the values of a column have one type, or are NULL. */
const stackFields = (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
  if (args.length < 2) throw wrongNumberOfArguments(site, "> 1", args.length);
  const n = constantOf(args[0]);
  if (typeof n !== "number" || n < 1)
    throw mismatch("VALUE_OUT_OF_RANGE", site, args, "The `n` must be a positive constant.");
  const width = Math.ceil((args.length - 1) / n);
  const types = Array.from({ length: width }, (_, c) => {
    const column = args.slice(1).filter((_x, i) => i % width === c);
    const typed = column.map((a) => a.type).filter((t) => t.kind !== "null");
    const common = typed[0] ?? NULL;
    if (typed.some((t) => typeName(t) !== typeName(common)))
      throw mismatch(
        "STACK_COLUMN_DIFF_TYPES",
        site,
        args,
        `The data type of the column (${c}) do not have the same type.`,
      );
    return common;
  });
  return {
    args: args.map((a, i) => (i === 0 ? a : castTo(a, types[(i - 1) % width]!))),
    output: types.map((t, c) => field(`col${c}`, t, true)),
  };
};

const stackRows = (args: readonly Value[]): Row[] => {
  const [n, ...values] = args;
  const width = Math.ceil(values.length / (n as number));
  return Array.from({ length: n as number }, (_, r) =>
    Array.from({ length: width }, (_x, c) => values[r * width + c] ?? null),
  );
};

const tupleFields = (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
  if (args.length < 2) throw wrongNumberOfArguments(site, "> 1", args.length);
  const strings = args.map((a, i) => {
    const c = coerce(a, STRING);
    if (c === undefined) throw unexpectedInput(site, args, i, `"STRING"`);
    return c;
  });
  return { args: strings, output: args.slice(1).map((_, i) => field(`c${i}`, STRING, true)) };
};

const rangeFields = (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
  if (args.length < 1 || args.length > 4) throw wrongNumberOfArguments(site, "[1, 2, 3, 4]", args.length);
  const longs = args.map((a, i) => {
    const c = coerce(a, LONG);
    if (c === undefined)
      throw analysisError(
        "UNEXPECTED_INPUT_TYPE",
        `Parameter ${i + 1} of function \`range\` requires the "BIGINT" type, however it has the type "${typeName(a.type)}".`,
        site.position,
      );
    return c;
  });
  return { args: longs, output: [field("id", LONG, false)] };
};

const rangeRows = (args: readonly Value[]): Row[] => {
  if (args.includes(null)) throw analysisError("UNEXPECTED_INPUT_TYPE", "range() takes no null.");
  const numbers = args.map((v) => BigInt(v as number | bigint));
  const [start, end] = numbers.length === 1 ? [0n, numbers[0]!] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? 1n;
  if (step === 0n)
    throw failure(
      "FAILED_FUNCTION_CALL",
      "Failed preparing of the function `range` for call: its step cannot be 0.",
    );
  const out: Row[] = [];
  for (let i = start; step > 0n ? i < end : i > end; i += step) out.push([canonicalLong(i)]);
  return out;
};

/** Whether each value of an array is an entry of a map depends on the type, which `resolve` sees: it marks maps by a second, constant argument. */
const marked =
  (resolve: (args: readonly TypedExpr[], site: CallSite) => GeneratorResolution) =>
  (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
    const r = resolve(args, site);
    const map = args[0]!.type.kind === "map";
    return {
      ...r,
      args: [...r.args, { kind: "literal", value: map, type: { kind: "boolean" }, nullable: false }],
    };
  };

const VARIANT: DataType = { kind: "variant" };

const variantFields =
  (outer: boolean) =>
  (args: readonly TypedExpr[], site: CallSite): GeneratorResolution => {
    const arg = one(args, site);
    const given = arg.type.kind === "null" ? castTo(arg, VARIANT) : arg;
    if (given.type.kind !== "variant") throw unexpectedInput(site, args, 0, `"VARIANT"`);
    const output = [field("pos", INT, outer), field("key", STRING, true), field("value", VARIANT, outer)];
    return { args: [given], output };
  };

/** Elements of a list, or entries of an object in order of their keys; none of any other value. */
const variantRows = (v: Value): Row[] => {
  if (v === null) return [];
  const json = fromVariant(v);
  if (Array.isArray(json)) return json.map((x, i) => [i, null, toVariant(x)]);
  if (!(json instanceof Map)) return [];
  return [...json.keys()].toSorted().map((k, i) => [i, k, toVariant(json.get(k)!)]);
};

const nullRow = (width: number): Row => new Array<Value>(width).fill(null);

const explode = (name: string, outer: boolean, positions: boolean): GeneratorDefinition => ({
  name,
  usage: `${name}(array or map)`,
  summary: `A row per element or entry${positions ? ", with its position from 0" : ""}${outer ? "; a row of nulls when there is none" : ""}.`,
  resolve: marked(exploding(outer, positions)),
  generate: ([v, map]) => {
    const rows = explodeRows(v!, map === true);
    if (rows.length === 0 && outer) return [nullRow((map === true ? 2 : 1) + (positions ? 1 : 0))];
    return positions ? rows.map((r, i) => [i, ...r]) : rows;
  },
  parameter: "collection",
  table: true,
});

const inline = (name: string, outer: boolean): GeneratorDefinition => ({
  name,
  usage: `${name}(array of structs)`,
  summary: `A row per struct, its fields as columns${outer ? "; a row of nulls when there is none" : ""}.`,
  resolve: (args, site) => {
    const r = inlineFields(outer)(args, site);
    return {
      ...r,
      args: [...r.args, { kind: "literal", value: r.output.length, type: INT, nullable: false }],
    };
  },
  generate: ([v, width]) => {
    const rows = inlineRows(v!, width as number);
    return rows.length === 0 && outer ? [nullRow(width as number)] : rows;
  },
  parameter: "input",
  table: true,
});

const variantExplode = (name: string, outer: boolean): GeneratorDefinition => ({
  name,
  usage: `${name}(variant)`,
  summary: `A row per element or entry of a variant: pos, key, value${outer ? "; a row of nulls when there is none" : ""}.`,
  resolve: variantFields(outer),
  generate: ([v]) => {
    const rows = variantRows(v!);
    return rows.length === 0 && outer ? [nullRow(3)] : rows;
  },
  parameter: "input",
  tableOnly: true,
  table: true,
});

const DEFINITIONS: readonly GeneratorDefinition[] = [
  explode("explode", false, false),
  explode("explode_outer", true, false),
  explode("posexplode", false, true),
  explode("posexplode_outer", true, true),
  inline("inline", false),
  inline("inline_outer", true),
  variantExplode("variant_explode", false),
  variantExplode("variant_explode_outer", true),
  {
    name: "stack",
    usage: "stack(n, a, b, …)",
    summary: "The values in n rows.",
    resolve: stackFields,
    generate: stackRows,
    table: true,
  },
  {
    name: "json_tuple",
    usage: "json_tuple(json, key1, key2, …)",
    summary: "The values of keys of a JSON object as text.",
    resolve: tupleFields,
    generate: ([json, ...keys]) => [jsonFields(json as string | null, keys as (string | null)[])],
    table: true,
  },
  {
    name: "range",
    usage: "range([start,] end[, step])",
    summary: "Numbers from start (default 0) up to, not including, end.",
    resolve: rangeFields,
    generate: rangeRows,
    table: true,
  },
];

const byName = new Map(DEFINITIONS.map((d) => [d.name, d]));

/** The generator of a name, in any case. */
export const generatorDefinition = (name: string): GeneratorDefinition | undefined =>
  byName.get(name.toLowerCase());
export const generatorDefinitions = (): readonly GeneratorDefinition[] => DEFINITIONS;
