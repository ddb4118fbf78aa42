/**
 * Functions that change variants at a path: variant_insert, variant_set, variant_delete, variant_array_append, variant_strip_nulls and their try_ forms; is_valid_variant.
 * V1: no value is changed in place. V2: a path of a wrong form fails under try_ too; a path that meets a value of another kind does not.
 */
import { BOOLEAN, type DataType } from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import { castAllowed, castTo } from "../coercion.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { parsePath, type PathStep } from "../json-path.ts";
import type { Json, JsonObject } from "../json-reader.ts";
import { textOnly } from "./record-rules.ts";
import { any, signature, variant } from "../rules.ts";
import { mismatch, sqlType } from "../type-errors.ts";
import { fromVariant, toVariant } from "../variant.ts";
import { failure, family, strict } from "./definition.ts";

const variants = family("variant");
const VARIANT: DataType = { kind: "variant" };
/** An index further than this would make a list of nulls that no process should hold. */
const INDEX_MAX = 1_000_000;

type Step = Exclude<PathStep, { readonly kind: "all" }>;

const stepsOf = (path: string, fn: string, rootAllowed: boolean): readonly Step[] => {
  const steps = parsePath(path);
  if (steps === undefined || steps.some((s) => s.kind === "all") || (steps.length === 0 && !rootAllowed))
    throw failure(
      "INVALID_VARIANT_PATH",
      `The path \`${path}\` is not a valid variant path in \`${fn}\`. A valid path should start with \`$\` and is followed by segments like \`[123]\`, \`.name\`, \`['name']\`.`,
    );
  if (steps.some((s) => s.kind === "index" && s.index > INDEX_MAX))
    throw failure("VARIANT_SIZE_LIMIT", `The index in the path \`${path}\` is beyond ${INDEX_MAX}.`);
  return steps as readonly Step[];
};

const kindError = (path: string): ExecutionError =>
  failure("VARIANT_PATH_TYPE_MISMATCH", `The path \`${path}\` meets a value of another kind.`);

/** What an edit does at the end of its path; `there` is undefined when nothing is there. undefined: leave the whole as it is. */
interface Edit {
  readonly path: string;
  readonly steps: readonly Step[];
  readonly createsPath: boolean;
  readonly atKey: (o: JsonObject, key: string) => Json | undefined;
  readonly atIndex: (a: readonly Json[], index: number) => Json | undefined;
}

const filled = (a: readonly Json[], length: number): Json[] => [
  ...a,
  ...Array.from({ length: Math.max(0, length - a.length) }, () => null),
];

/** The value with the edit made; undefined when it changes nothing. */
const edited = (v: Json | undefined, e: Edit, from: number): Json | undefined => {
  const step = e.steps[from]!;
  const last = from === e.steps.length - 1;
  if (v === undefined && !e.createsPath) return undefined;
  if (step.kind === "key") {
    const object = v === undefined ? new Map<string, Json>() : v;
    if (!(object instanceof Map)) throw kindError(e.path);
    if (last) return e.atKey(object, step.name);
    const child = edited(object.get(step.name), e, from + 1);
    return child === undefined ? undefined : new Map(object).set(step.name, child);
  }
  const list = v === undefined ? [] : v;
  if (!Array.isArray(list)) throw kindError(e.path);
  if (last) return e.atIndex(list, step.index);
  const child = edited(list[step.index], e, from + 1);
  return child === undefined ? undefined : filled(list, step.index + 1).with(step.index, child);
};

const editor =
  (fn: string, edit: (value: Json, create: boolean) => Pick<Edit, "createsPath" | "atKey" | "atIndex">) =>
  (v: Json, path: string, value: Json, create: boolean): Json =>
    edited(v, { path, steps: stepsOf(path, fn, false), ...edit(value, create) }, 0) ?? v;

const insert = editor("variant_insert", (value) => ({
  createsPath: true,
  atKey: (o, key) => {
    if (o.has(key)) throw failure("VARIANT_DUPLICATE_KEY", `The key \`${key}\` exists already.`);
    return new Map(o).set(key, value);
  },
  atIndex: (a, i) => filled(a, i).toSpliced(i, 0, value),
}));

const set = editor("variant_set", (value, create) => ({
  createsPath: create,
  atKey: (o, key) => (o.has(key) || create ? new Map(o).set(key, value) : undefined),
  atIndex: (a, i) => (i < a.length || create ? filled(a, i + 1).with(i, value) : undefined),
}));

/** A path that leads nowhere, or through a value of another kind, deletes nothing. */
const remove = (v: Json, path: string): Json => {
  const steps = stepsOf(path, "variant_delete", false);
  const without = (x: Json, from: number): Json => {
    const step = steps[from]!;
    const last = from === steps.length - 1;
    if (step.kind === "key") {
      if (!(x instanceof Map) || !x.has(step.name)) return x;
      const copy = new Map(x);
      if (last) copy.delete(step.name);
      else copy.set(step.name, without(x.get(step.name)!, from + 1));
      return copy;
    }
    if (!Array.isArray(x) || step.index >= x.length) return x;
    return last ? x.toSpliced(step.index, 1) : x.with(step.index, without(x[step.index]!, from + 1));
  };
  return without(v, 0);
};

const append = (v: Json, path: string, value: Json): Json => {
  const steps = stepsOf(path, "variant_array_append", true);
  const appended = (x: Json | undefined, from: number): Json | undefined => {
    const step = steps[from];
    if (x === undefined) return undefined;
    if (step === undefined) {
      if (!Array.isArray(x)) throw kindError(path);
      return [...x, value];
    }
    if (step.kind === "key") {
      if (!(x instanceof Map)) throw kindError(path);
      const child = appended(x.get(step.name), from + 1);
      return child === undefined ? undefined : new Map(x).set(step.name, child);
    }
    if (!Array.isArray(x)) throw kindError(path);
    const child = appended(x[step.index], from + 1);
    return child === undefined ? undefined : x.with(step.index, child);
  };
  return appended(v, 0) ?? v;
};

const strip = (v: Json, arrays: boolean): Json => {
  if (Array.isArray(v)) return (arrays ? v.filter((x) => x !== null) : v).map((x) => strip(x, arrays));
  if (!(v instanceof Map)) return v;
  return new Map([...v].filter(([, x]) => x !== null).map(([k, x]) => [k, strip(x, arrays)]));
};

/** The value to put: any type that casts to variant. */
const withValue =
  (flag: boolean): TypeRule =>
  (raw, site) => {
    const base = signature([variant, textOnly, any, ...(flag ? [BOOLEAN] : [])], VARIANT, {
      optional: flag ? 1 : 0,
      nullable: true,
    })(raw, site);
    const value = base.args[2]!;
    if (!castAllowed(value.type, VARIANT))
      throw mismatch(
        "CAST_WITHOUT_SUGGESTION",
        site,
        raw,
        `Cannot cast "${sqlType(value.type)}" to "VARIANT".`,
      );
    return { ...base, args: base.args.with(2, castTo(value, VARIANT)) };
  };

type EditArgs = [Value, string, Value, boolean | undefined];
const editing = (
  usage: string,
  summary: string,
  flag: boolean,
  edit: (v: Json, path: string, value: Json, create: boolean) => Json,
  example: readonly [string, string],
): readonly FunctionDefinition[] =>
  [false, true].map((lenient) =>
    variants(
      `${lenient ? "try_" : ""}${usage}`,
      `${summary}${lenient ? " Null where the variant has other kinds of values on the path." : ""}`,
      withValue(flag),
      strict<EditArgs>(([v, path, value, create]) => {
        try {
          return toVariant(edit(fromVariant(v), path, fromVariant(value), create ?? true));
        } catch (e) {
          if (lenient && e instanceof ExecutionError && e.errorClass !== "INVALID_VARIANT_PATH") return null;
          throw e;
        }
      }),
      lenient ? {} : { examples: [example] },
    ),
  );

export const VARIANT_EDIT_FUNCTIONS: readonly FunctionDefinition[] = [
  ...editing("variant_insert(v, path, value)", "A variant with a new field or element.", false, insert, [
    `to_json(variant_insert(parse_json('{"a": 1}'), '$.b', 2))`,
    '{"a":1,"b":2}',
  ]),
  ...editing(
    "variant_set(v, path, value[, create])",
    "A variant with the value at a path replaced, or created.",
    true,
    set,
    [`to_json(variant_set(parse_json('{"a": 1}'), '$.a', 2))`, '{"a":2}'],
  ),
  ...editing(
    "variant_array_append(v, path, value)",
    "A variant with an element more in the array at a path.",
    false,
    append,
    [`to_json(variant_array_append(parse_json('[1, 2]'), '$', 3))`, "[1,2,3]"],
  ),
  variants(
    "variant_delete(v, path, …)",
    "A variant without the values at some paths.",
    (raw, site) => {
      if (raw.length === 1) return signature([variant, textOnly], VARIANT)(raw, site);
      return signature([variant, textOnly], VARIANT, { variadic: true, nullable: true })(raw, site);
    },
    {
      nulls: "custom",
      evaluate: ([v, ...paths]) => {
        const read = (json: Json): Json =>
          (paths as (string | null)[]).reduce<Json>((j, p) => (p === null ? j : remove(j, p)), json);
        if (v !== null) return toVariant(read(fromVariant(v as Value)));
        read(null);
        return null;
      },
    },
    { examples: [[`to_json(variant_delete(parse_json('{"a": 1, "b": 2}'), '$.a'))`, '{"b":2}']] },
  ),
  variants(
    "variant_strip_nulls(v[, arrays])",
    "A variant without its nulls; those in arrays stay with arrays => false.",
    signature([variant, BOOLEAN], VARIANT, { optional: 1 }),
    strict<[Value, boolean | undefined]>(([v, arrays]) => toVariant(strip(fromVariant(v), arrays ?? true))),
    { examples: [[`to_json(variant_strip_nulls(parse_json('{"a": null}')))`, "{}"]] },
  ),
  variants(
    "is_valid_variant(v)",
    "Whether a variant is well formed: every variant here is.",
    signature([variant], BOOLEAN),
    strict<[Value]>(() => true),
    { examples: [["is_valid_variant(parse_json('null'))", "true"]] },
  ),
];
