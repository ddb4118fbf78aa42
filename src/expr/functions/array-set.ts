/** Arrays as sets. Null elements count as equal to each other, except in arrays_overlap, where they are unknown. */
import { array as arrayOf, BOOLEAN, type DataType, sameType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { tightestCommonType } from "../coercion.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { array, same, signature } from "../rules.ts";
import { mismatch, sqlType } from "../type-errors.ts";
import { equalValues, valueKey } from "../value-order.ts";
import { elementOf, orderedElements, withElement } from "./array-rules.ts";
import { family, strict } from "./definition.ts";

const fn = family("array");
type List = readonly Value[];
const sameArray = (args: readonly TypedExpr[]): DataType => args[0]!.type;

/** The element's hash key, null included. */
const keyOf = (type: DataType): ((v: Value) => unknown) => {
  const key = valueKey(type);
  return (v) => (v === null ? null : key(v));
};

const distinct = (list: List, type: DataType): Value[] => {
  const key = keyOf(type);
  const seen = new Set<unknown>();
  return list.filter((v) => {
    const k = key(v);
    if (seen.has(k)) return false;
    seen.add(k);
    return true;
  });
};

const setOf = (list: List, type: DataType): ReadonlySet<unknown> => new Set(list.map(keyOf(type)));

const meet: TypeRule = same(0, { least: 2, most: 2, of: array });
/** Two arrays whose elements meet without loss; strings meet strings only. */
const setRule: TypeRule = (raw, site) => {
  const types = raw.map((a) => a.type);
  const [a, b] = types;
  if (raw.length === 2 && !(sameType(a!, b!) && a!.kind === "null")) {
    const apart = a!.kind !== "array" || b!.kind !== "array" || tightestCommonType(a!, b!) === undefined;
    if (apart)
      throw mismatch(
        "BINARY_ARRAY_DIFF_TYPES",
        site,
        raw,
        `Input to function \`${site.fn}\` should have been two "ARRAY" with same element type, but it's ["${sqlType(a!)}", "${sqlType(b!)}"].`,
      );
  }
  return orderedElements(meet)(raw, site);
};
const setFunction = (
  usage: string,
  summary: string,
  f: (a: List, b: List, element: DataType) => Value,
  example: readonly [string, string],
): FunctionDefinition =>
  fn(
    usage,
    summary,
    setRule,
    strict<[List, List]>(([a, b], call) => f(a, b, elementOf(call.argTypes[0]!))),
    { examples: [example] },
  );

const overlap = (a: List, b: List, type: DataType): Value => {
  const right = setOf(
    b.filter((v) => v !== null),
    type,
  );
  const key = keyOf(type);
  if (a.some((v) => v !== null && right.has(key(v)))) return true;
  const unknown = a.length > 0 && b.length > 0 && (a.includes(null) || b.includes(null));
  return unknown ? null : false;
};

export const ARRAY_SET_FUNCTIONS: readonly FunctionDefinition[] = [
  fn(
    "array_distinct(array)",
    "The array without repeated elements.",
    orderedElements(signature([array], sameArray)),
    strict<[List]>(([l], call) => distinct(l, elementOf(call.type))),
    { examples: [["array_distinct(array(1, 2, 3, null, 3))", "[1, 2, 3, null]"]] },
  ),
  fn(
    "array_compact(array)",
    "The array without nulls.",
    signature([array], (args) => arrayOf(elementOf(args[0]!.type), false)),
    strict<[List]>(([l]) => l.filter((v) => v !== null)),
    { examples: [["array_compact(array(1, 2, 3, null))", "[1, 2, 3]"]] },
  ),
  fn(
    "array_remove(array, x)",
    "The array without the elements equal to x.",
    withElement((t) => t, { nullArray: "ARRAY_FUNCTION_DIFF_TYPES" }),
    strict<[List, Value]>(([l, v], call) => {
      const equal = equalValues(call.argTypes[1]!);
      return l.filter((x) => x === null || !equal(x, v));
    }),
    { examples: [["array_remove(array(1, 2, 3, null, 3), 3)", "[1, 2, null]"]] },
  ),
  setFunction("array_union(a, b)", "The distinct elements of both.", (a, b, t) => distinct([...a, ...b], t), [
    "array_union(array(1, 2, 3), array(1, 3, 5))",
    "[1, 2, 3, 5]",
  ]),
  setFunction(
    "array_intersect(a, b)",
    "The distinct elements in both.",
    (a, b, t) => {
      const [right, key] = [setOf(b, t), keyOf(t)];
      return distinct(
        a.filter((v) => right.has(key(v))),
        t,
      );
    },
    ["array_intersect(array(1, 2, 3), array(1, 3, 5))", "[1, 3]"],
  ),
  setFunction(
    "array_except(a, b)",
    "The distinct elements of a that are not in b.",
    (a, b, t) => {
      const [right, key] = [setOf(b, t), keyOf(t)];
      return distinct(
        a.filter((v) => !right.has(key(v))),
        t,
      );
    },
    ["array_except(array(1, 2, 3), array(1, 3, 5))", "[2]"],
  ),
  fn(
    "arrays_overlap(a, b)",
    "Whether the arrays share an element; null when they do not but one has a null.",
    (args, site) => ({ ...setRule(args, site), type: BOOLEAN, nullable: true }),
    strict<[List, List]>(([a, b], call) => overlap(a, b, elementOf(call.argTypes[0]!))),
    {
      examples: [["arrays_overlap(array(1, 2, 3), array(3, 4, 5))", "true"]],
    },
  ),
];
