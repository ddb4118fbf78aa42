/** Maps and structs. */
import {
  array as arrayOf,
  BOOLEAN,
  type DataType,
  field,
  map as mapOf,
  STRING,
  struct as structOf,
} from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonType, commonTypeWithoutStrings } from "../coercion.ts";
import type { CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import { any, array, map, same, signature, typedArray } from "../rules.ts";
import { textOnly } from "./record-rules.ts";
import { mismatch, sqlType, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { equalValues } from "../value-order.ts";
import { elementOf, mayHaveNull } from "./array-rules.ts";
import { constantOf, custom, failure, family, strict } from "./definition.ts";
import { javaRegex } from "./java-regex.ts";
import { type Entries, uniqueKeys } from "./map-entries.ts";
import { splitBy } from "./regexp.ts";

const fn = family("map");
const structs = family("struct");
type List = readonly Value[];
type MapType = DataType & { kind: "map" };
const mapType = (args: readonly TypedExpr[]): MapType => args[0]!.type as MapType;

const checkKey = (key: DataType, site: CallSite, args: readonly TypedExpr[]): void => {
  if (key.kind === "map" || key.kind === "variant")
    throw mismatch(
      "INVALID_MAP_KEY_TYPE",
      site,
      args,
      `The key of map cannot be/contain "${key.kind.toUpperCase()}".`,
    );
};

const mapRule: TypeRule = (args, site) => {
  if (args.length % 2 !== 0) throw wrongNumberOfArguments(site, "2n (n > 0)", args.length);
  if (args.length === 0)
    return { args, type: mapOf({ kind: "null" }, { kind: "null" }, false), nullable: false };
  const keys = args.filter((_, i) => i % 2 === 0);
  const values = args.filter((_, i) => i % 2 === 1);
  const key = commonType(keys.map((k) => k.type));
  const value = commonType(values.map((v) => v.type));
  if (key === undefined || value === undefined)
    throw mismatch(
      key === undefined ? "CREATE_MAP_KEY_DIFF_TYPES" : "CREATE_MAP_VALUE_DIFF_TYPES",
      site,
      args,
      `The given ${key === undefined ? "keys" : "values"} of function \`map\` should all be the same type.`,
    );
  checkKey(key, site, args);
  return {
    args: args.map((a, i) => castTo(a, i % 2 === 0 ? key : value)),
    type: mapOf(
      key,
      value,
      values.some((v) => v.nullable),
    ),
    nullable: false,
  };
};

const differentKey = (site: CallSite, args: readonly TypedExpr[]): Error =>
  mismatch(
    "MAP_FUNCTION_DIFF_TYPES",
    site,
    args,
    'Input to `map_contains_key` should have been "MAP" followed by a value with same key type.',
  );

const keyRule: TypeRule = (raw, site) => {
  const [m, k] = raw;
  if (raw.length === 2 && m!.type.kind === "null" && k!.type.kind !== "null") throw differentKey(site, raw);
  const base = signature([map, any], BOOLEAN)(raw, site);
  const t = base.args[0]!.type as MapType;
  const key = commonTypeWithoutStrings(t.key, base.args[1]!.type);
  if (base.args[1]!.type.kind === "null")
    throw mismatch(
      "NULL_TYPE",
      site,
      raw,
      "Null typed values cannot be used as arguments of `map_contains_key`.",
    );
  if (key === undefined) throw differentKey(site, raw);
  return { ...base, args: [castTo(base.args[0]!, { ...t, key }), castTo(base.args[1]!, key)] };
};

const entriesType = (t: MapType): DataType =>
  arrayOf(structOf([field("key", t.key, false), field("value", t.value, t.valueContainsNull)]), false);

const fromArrays = (keys: List, values: List, type: DataType): Value => {
  if (keys.length !== values.length)
    throw failure(
      "_LEGACY_ERROR_TEMP_2128",
      "The key array and value array of MapData must have the same length.",
    );
  return uniqueKeys(
    keys.map((k, i) => [k, values[i]!] as const),
    (type as MapType).key,
  );
};

const fromEntriesRule: TypeRule = (raw, site) => {
  const base = signature([typedArray], BOOLEAN)(raw, site);
  const t = elementOf(base.args[0]!.type);
  if (t.kind !== "struct") throw unexpectedInput(site, raw, 0, `"ARRAY" of pair "STRUCT"`);
  if (t.fields.length !== 2)
    throw mismatch(
      "MAP_FROM_ENTRIES_WRONG_TYPE",
      site,
      raw,
      "The parameter of `map_from_entries` requires an array of pair struct.",
    );
  const [k, v] = [t.fields[0]!, t.fields[1]!];
  return {
    ...base,
    type: mapOf(k.type, v.type, v.nullable),
    nullable: base.nullable || mayHaveNull(base.args[0]!.type),
  };
};

const concatRule: TypeRule = (args, site) => {
  if (args.some((a) => a.type.kind !== "map"))
    throw mismatch(
      "MAP_CONCAT_DIFF_TYPES",
      site,
      args,
      `The \`${site.fn}\` should all be of type map, but it's [${args.map((a) => `"${sqlType(a.type)}"`).join(", ")}].`,
    );
  return same(0, { of: map })(args, site);
};

const maps: readonly FunctionDefinition[] = [
  fn(
    "map(k1, v1, …)",
    "A map of keys and values. @throws DUPLICATED_MAP_KEY, NULL_MAP_KEY",
    mapRule,
    custom<Value[]>((args, call) =>
      uniqueKeys(
        Array.from({ length: args.length / 2 }, (_, i) => [args[2 * i]!, args[2 * i + 1]!] as const),
        (call.type as MapType).key,
      ),
    ),
    {
      examples: [["map(1.0, '2', 3.0, '4')", "{1.0 -> 2, 3.0 -> 4}"]],
    },
  ),
  fn(
    "map_from_arrays(keys, values)",
    "A map of two arrays.",
    signature(
      [array, array],
      (args) => mapOf(elementOf(args[0]!.type), elementOf(args[1]!.type), mayHaveNull(args[1]!.type)),
      { check: (args, site) => checkKey(elementOf(args[0]!.type), site, args) },
    ),
    strict<[List, List]>(([k, v], call) => fromArrays(k, v, call.type)),
    {
      examples: [["map_from_arrays(array(1.0, 3.0), array('2', '4'))", "{1.0 -> 2, 3.0 -> 4}"]],
    },
  ),
  fn(
    "map_from_entries(entries)",
    "A map of an array of (key, value) structs; null when an entry is null.",
    fromEntriesRule,
    strict<[List]>(([l], call) =>
      l.includes(null) ? null : uniqueKeys(l as unknown as Entries, (call.type as MapType).key),
    ),
    {
      examples: [["map_from_entries(array(struct(1, 'a'), struct(2, 'b')))", "{1 -> a, 2 -> b}"]],
    },
  ),
  fn(
    "map_keys(map)",
    "The keys.",
    signature([map], (args) => arrayOf(mapType(args).key, false)),
    strict<[Entries]>(([m]) => m.map(([k]) => k)),
    { examples: [["map_keys(map(1, 'a', 2, 'b'))", "[1, 2]"]] },
  ),
  fn(
    "map_values(map)",
    "The values.",
    signature([map], (args) => arrayOf(mapType(args).value, mapType(args).valueContainsNull)),
    strict<[Entries]>(([m]) => m.map(([, v]) => v)),
    { examples: [["map_values(map(1, 'a', 2, 'b'))", "[a, b]"]] },
  ),
  fn(
    "map_entries(map)",
    "The entries as an array of structs.",
    signature([map], (args) => entriesType(mapType(args))),
    strict<[Entries]>(([m]) => m.map(([k, v]) => [k, v])),
    { examples: [["map_entries(map(1, 'a', 2, 'b'))", "[{1, a}, {2, b}]"]] },
  ),
  fn(
    "map_contains_key(map, key)",
    "Whether the map has the key.",
    keyRule,
    strict<[Entries, Value]>(([m, k], call) => {
      const equal = equalValues(call.argTypes[1]!);
      return m.some(([x]) => equal(x, k));
    }),
    { examples: [["map_contains_key(map(1, 'a', 2, 'b'), 1)", "true"]] },
  ),
  fn(
    "map_concat(a, b, …)",
    "The entries of all maps. @throws DUPLICATED_MAP_KEY",
    (args, site) =>
      args.length === 0 ? { args, type: mapOf(STRING, STRING), nullable: false } : concatRule(args, site),
    strict<Entries[]>((ms, call) => uniqueKeys(ms.flat(1) as Entries, (call.type as MapType).key)),
    { examples: [["map_concat(map(1, 'a', 2, 'b'), map(3, 'c'))", "{1 -> a, 2 -> b, 3 -> c}"]] },
  ),
  fn(
    "str_to_map(text[, pairDelimiter[, keyDelimiter]])",
    "A text of pairs as a map; the delimiters are regular expressions, by default , and :.",
    signature([textOnly, textOnly, textOnly], mapOf(STRING, STRING), { optional: 2 }),
    strict<[string, string | undefined, string | undefined]>(([s, pair, key]) => {
      const entries = splitBy(s, javaRegex(pair ?? ",", "str_to_map"), -1).map((p) => {
        const kv = splitBy(p, javaRegex(key ?? ":", "str_to_map"), 2);
        return [kv[0]!, kv[1] ?? null] as const;
      });
      return uniqueKeys(entries, STRING);
    }),
    { examples: [["str_to_map('a:1,b:2,c:3', ',', ':')", "{a -> 1, b -> 2, c -> 3}"]] },
  ),
];

const nameOf = (e: TypedExpr, i: number): string => {
  if (e.kind === "attribute" || e.kind === "slot" || e.kind === "variable") return e.name;
  if (e.kind === "field" && e.child.type.kind === "struct") return e.child.type.fields[e.index]!.name;
  return `col${i + 1}`;
};

const namedRule: TypeRule = (args, site) => {
  if (args.length % 2 !== 0 || args.length === 0)
    throw wrongNumberOfArguments(site, "2n (n > 0)", args.length);
  const fields = Array.from({ length: args.length / 2 }, (_, i) => {
    const name = constantOf(args[2 * i]);
    if (typeof name !== "string")
      throw mismatch(
        "CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING",
        site,
        args,
        "Only foldable `STRING` expressions are allowed to appear at odd position.",
      );
    return field(name, args[2 * i + 1]!.type, args[2 * i + 1]!.nullable);
  });
  return { args, type: structOf(fields), nullable: false };
};

const structFunctions: readonly FunctionDefinition[] = [
  structs(
    "struct(a, b, …)",
    "A struct of values, named after their columns, else col1, col2, …",
    (args) => ({
      args,
      type: structOf(args.map((a, i) => field(nameOf(a, i), a.type, a.nullable))),
      nullable: false,
    }),
    custom<Value[]>((args) => [...args]),
    { examples: [["struct(1, 2, 3)", "{1, 2, 3}"]] },
  ),
  structs(
    "named_struct(name1, v1, …)",
    "A struct of names and values.",
    namedRule,
    custom<Value[]>((args) => args.filter((_, i) => i % 2 === 1)),
    { examples: [["named_struct('a', 1, 'b', 2)", "{1, 2}"]] },
  ),
];

export const MAP_FUNCTIONS: readonly FunctionDefinition[] = [...maps, ...structFunctions];
