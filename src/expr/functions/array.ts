/** Arrays: building and reading. Elements compare as values do: NaN equals NaN. */
import {
  array as arrayOf,
  BOOLEAN,
  type DataType,
  field,
  INT,
  LONG,
  STRING,
  struct,
} from "../../core/data-type.ts";
import { ARRAY_ELEMENTS_MAX } from "../../core/limits.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonTypeWithoutStrings } from "../coercion.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { array, arrayOrMap, oneOf, same, signature, type TypeClass, typedArray } from "../rules.ts";
import { mismatch, unexpectedInput } from "../type-errors.ts";
import { compareValues, equalValues } from "../value-order.ts";
import { elementOf, orderedElements, withElement } from "./array-rules.ts";
import { custom, failure, family, strict, tooLong } from "./definition.ts";

const fn = family("array");
type List = readonly Value[];
const contains = (list: List, v: Value, type: DataType): Value => {
  const equal = equalValues(type);
  let sawNull = false;
  for (const x of list) {
    if (x === null) sawNull = true;
    else if (equal(x, v)) return true;
  }
  return sawNull ? null : false;
};

const insertAt = (list: List, position: number, v: Value): Value => {
  if (position === 0)
    throw failure(
      "INVALID_INDEX_OF_ZERO",
      "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).",
    );
  if (Math.abs(position) > ARRAY_ELEMENTS_MAX) throw tooLong(Math.abs(position), "array_insert");
  if (position > 0) {
    const out = [...list];
    while (out.length < position - 1) out.push(null);
    out.splice(position - 1, 0, v);
    return out;
  }
  const at = list.length + position + 1;
  if (at >= 0) return list.toSpliced(at, 0, v);
  return [v, ...new Array<Value>(-at).fill(null), ...list];
};

const slice = (list: List, start: number, length: number): Value => {
  if (start === 0)
    throw failure(
      "INVALID_PARAMETER_VALUE.START",
      "The value of parameter(s) `start` in `slice` is invalid: Expects a positive or a negative value for `start`, but got 0.",
    );
  if (length < 0)
    throw failure(
      "INVALID_PARAMETER_VALUE.LENGTH",
      `The value of parameter(s) \`length\` in \`slice\` is invalid: Expects \`length\` greater than or equal to 0, but got ${length}.`,
    );
  const from = start > 0 ? start - 1 : list.length + start;
  return from < 0 || from >= list.length ? [] : list.slice(from, from + length);
};

const elementAt = (list: List, index: number, lenient: boolean): Value => {
  if (index === 0)
    throw failure(
      "INVALID_INDEX_OF_ZERO",
      "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).",
    );
  if (Math.abs(index) <= list.length) return list[index > 0 ? index - 1 : list.length + index]!;
  if (lenient) return null;
  throw failure(
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
    `The index ${index} is out of bounds. The array has ${list.length} elements. Use \`try_element_at\` to tolerate accessing element at invalid index and return NULL instead.`,
  );
};

/** element_at of an array by position, of a map by key. */
const elementRule: TypeRule = (raw, site) => {
  const base = signature(
    [{ ...arrayOrMap, typedOnly: true }, oneOf({ name: "ANY", accepts: () => true, whenNull: INT })],
    INT,
  )(raw, site);
  const t = base.args[0]!.type;
  if (t.kind === "map") {
    const key = commonTypeWithoutStrings(t.key, base.args[1]!.type);
    if (key === undefined)
      throw mismatch(
        "MAP_FUNCTION_DIFF_TYPES",
        site,
        raw,
        `Input to \`${site.fn}\` should have been "MAP" followed by a value with same key type.`,
      );
    return {
      args: [castTo(base.args[0]!, { ...t, key }), castTo(base.args[1]!, key)],
      type: t.value,
      nullable: true,
    };
  }
  const index = base.args[1]!;
  if (!["byte", "short", "int", "null"].includes(index.type.kind))
    throw unexpectedInput(site, raw, 1, `"INT"`);
  return { args: [base.args[0]!, castTo(index, INT)], type: elementOf(t), nullable: true };
};

const at = (
  name: string,
  summary: string,
  lenient: boolean,
  example: readonly [string, string],
): FunctionDefinition =>
  fn(
    `${name}(container, index)`,
    summary,
    elementRule,
    strict<[List, Value]>(([c, k], call) => {
      const t = call.argTypes[0]!;
      if (t.kind !== "map") return elementAt(c, k as number, lenient);
      const equal = equalValues(t.key);
      return (c as unknown as readonly [Value, Value][]).find(([key]) => equal(key, k))?.[1] ?? null;
    }),
    { examples: [example] },
  );

const zipNames = (args: readonly TypedExpr[]): readonly string[] =>
  args.map((a, i) => {
    if (a.kind === "attribute" || a.kind === "slot" || a.kind === "variable") return a.name;
    if (a.kind === "field" && a.child.type.kind === "struct") return a.child.type.fields[a.index]!.name;
    return String(i);
  });

const zipRule: TypeRule = (raw, site) => {
  const base = signature([array], INT, { variadic: true })(raw, site);
  const names = zipNames(raw);
  const type = struct(base.args.map((a, i) => field(names[i]!, elementOf(a.type), true)));
  return { ...base, type: arrayOf(type, false) };
};

const extreme = (
  name: "array_max" | "array_min",
  sign: number,
  example: readonly [string, string],
): FunctionDefinition =>
  fn(
    `${name}(array)`,
    `The ${sign > 0 ? "greatest" : "least"} element; nulls are skipped.`,
    orderedElements(signature([array], (args) => elementOf(args[0]!.type), { nullable: true })),
    strict<[List]>(([list], call) => {
      const compare = compareValues(call.type);
      return list.reduce<Value>(
        (best, v) => (v !== null && (best === null || compare(v, best) * sign > 0) ? v : best),
        null,
      );
    }),
    { examples: [example] },
  );

const sameArray = (args: readonly TypedExpr[]): DataType => args[0]!.type;

/** A number of elements: no text, no fraction, no BIGINT. */
const COUNT: TypeClass = {
  name: `"INT"`,
  accepts: (t) => t.kind === "int",
  implicit: (t) => (t.kind === "byte" || t.kind === "short" ? INT : undefined),
  whenNull: INT,
};

const building: readonly FunctionDefinition[] = [
  fn(
    "array(a, …)",
    "An array of values.",
    (args, site) => {
      if (args.length === 0) return { args, type: arrayOf({ kind: "null" }, false), nullable: false };
      return same(0, {
        nullable: false,
        returns: (t, a) =>
          arrayOf(
            t,
            a.some((x) => x.nullable),
          ),
      })(args, site);
    },
    custom<Value[]>((args) => [...args]),
    { examples: [["array(1, 2, 3)", "[1, 2, 3]"]] },
  ),
  fn(
    "array_repeat(x, n)",
    "x n times.",
    signature(
      [oneOf({ name: "ANY", accepts: () => true, whenNull: { kind: "null" } }), COUNT],
      (args) => arrayOf(args[0]!.type, args[0]!.nullable),
      { nullable: (args) => args[1]!.nullable },
    ),
    custom<[Value, number | null]>(([v, n]) => {
      if (n === null) return null;
      if (n > ARRAY_ELEMENTS_MAX) throw tooLong(n, "array_repeat");
      return new Array<Value>(Math.max(n, 0)).fill(v);
    }),
    {
      examples: [["array_repeat('123', 2)", "[123, 123]"]],
    },
  ),
  fn(
    "array_append(array, x)",
    "The array with x at its end.",
    withElement((t) => t, { nullElement: true }),
    custom<[List | null, Value]>(([l, v]) => (l === null ? null : [...l, v])),
    { examples: [["array_append(array('b', 'd'), 'q')", "[b, d, q]"]] },
  ),
  fn(
    "array_prepend(array, x)",
    "The array with x before it.",
    withElement((t) => t, { nullElement: true }),
    custom<[List | null, Value]>(([l, v]) => (l === null ? null : [v, ...l])),
    { examples: [["array_prepend(array('b', 'd'), 'a')", "[a, b, d]"]] },
  ),
  fn(
    "array_insert(array, position, x)",
    "The array with x at a position, from 1; negative from the end; nulls fill a gap.",
    withElement((t) => arrayOf(elementOf(t), true), {
      at: 2,
      more: [INT],
      nullElement: true,
      nullArray: "ARRAY_FUNCTION_DIFF_TYPES",
    }),
    custom<[List | null, number | null, Value]>(([l, p, v]) =>
      l === null || p === null ? null : insertAt(l, p, v),
    ),
    { examples: [["array_insert(array(1, 2, 3, 4), 5, 5)", "[1, 2, 3, 4, 5]"]] },
  ),
  fn(
    "arrays_zip(a, b, …)",
    "The arrays' elements side by side as structs; short arrays are filled with nulls.",
    zipRule,
    strict<List[]>((lists) =>
      Array.from({ length: Math.max(0, ...lists.map((l) => l.length)) }, (_, i) =>
        lists.map((l) => l[i] ?? null),
      ),
    ),
    {
      examples: [["arrays_zip(array(1, 2), array(2, 3))", "[{1, 2}, {2, 3}]"]],
    },
  ),
  fn(
    "flatten(arrays)",
    "An array of arrays as one array; null when one of them is null.",
    signature(
      [
        {
          name: `"ARRAY<ARRAY>"`,
          typedOnly: true,
          accepts: (t) => t.kind === "array" && t.element.kind === "array",
          whenNull: arrayOf(arrayOf({ kind: "null" })),
        },
      ],
      (args) => elementOf(args[0]!.type),
      { nullable: true },
    ),
    strict<[readonly (List | null)[]]>(([lists]) =>
      lists.includes(null) ? null : (lists as readonly List[]).flat(1),
    ),
    { examples: [["flatten(array(array(1, 2), array(3, 4)))", "[1, 2, 3, 4]"]] },
  ),
];

const reading: readonly FunctionDefinition[] = [
  fn(
    "size(container)",
    "The number of elements of an array or entries of a map; null of null.",
    signature([arrayOrMap], INT),
    strict<[List]>(([c]) => c.length),
    { aliases: ["cardinality"], examples: [["size(array('b', 'd', 'c', 'a'))", "4"]] },
  ),
  fn(
    "array_size(array)",
    "The number of elements of an array; null of null.",
    signature([array], INT),
    strict<[List]>(([c]) => c.length),
    { examples: [["array_size(array('b', 'd', 'c', 'a'))", "4"]] },
  ),
  at(
    "element_at",
    "The element at a position from 1 (negative from the end), or the value of a key.",
    false,
    ["element_at(array(1, 2, 3), 2)", "2"],
  ),
  at("try_element_at", "element_at; null outside the array.", true, [
    "try_element_at(array(1, 2, 3), 2)",
    "2",
  ]),
  fn(
    "get(array, index)",
    "The element at an index from 0; null outside the array.",
    signature([typedArray, INT], (args) => elementOf(args[0]!.type), { nullable: true }),
    strict<[List, number]>(([l, i]) => (i < 0 ? null : (l[i] ?? null))),
    { examples: [["get(array(1, 2, 3), 0)", "1"]] },
  ),
  fn(
    "slice(array, start, length)",
    "A part of an array; start counts from 1, negative from the end.",
    signature([array, INT, INT], sameArray),
    strict<[List, number, number]>(([l, s, n]) => slice(l, s, n)),
    { examples: [["slice(array(1, 2, 3, 4), 2, 2)", "[2, 3]"]] },
  ),
  fn(
    "array_contains(array, x)",
    "Whether x is in the array; null when it is not but a null is.",
    withElement(() => BOOLEAN, { nullable: true, wide: true, nullArray: "NULL_TYPE" }),
    strict<[List, Value]>(([l, v], call) => contains(l, v, call.argTypes[1]!)),
    { examples: [["array_contains(array(1, 2, 3), 2)", "true"]] },
  ),
  fn(
    "array_position(array, x)",
    "The first position of x, from 1; 0 when absent.",
    withElement(() => LONG, { nullArray: "NULL_TYPE" }),
    strict<[List, Value]>(([l, v], call) => {
      const equal = equalValues(call.argTypes[1]!);
      return l.findIndex((x) => x !== null && equal(x, v)) + 1;
    }),
    { examples: [["array_position(array(312, 773, 708, 708), 708)", "3"]] },
  ),
  extreme("array_max", 1, ["array_max(array(1, 20, null, 3))", "20"]),
  extreme("array_min", -1, ["array_min(array(1, 20, null, 3))", "1"]),
  fn(
    "array_join(array, delimiter[, nullText])",
    "The elements as one text; nulls are left out or shown as nullText.",
    signature([arrayOf(STRING), STRING, STRING], STRING, { optional: 1 }),
    strict<[List, string, string | undefined]>(([l, d, n]) =>
      l.flatMap((v) => (v === null ? (n === undefined ? [] : [n]) : [v])).join(d),
    ),
    { examples: [["array_join(array('hello', null, 'world'), ' ', ',')", "hello , world"]] },
  ),
];

export const ARRAY_FUNCTIONS: readonly FunctionDefinition[] = [...building, ...reading];
