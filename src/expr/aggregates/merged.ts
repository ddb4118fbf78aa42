/** collect_union: the distinct elements of arrays; schema_of_variant_agg: the schema that variants have in common. */
import { STRING } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { array, signature, variant } from "../rules.ts";
import { valueKey } from "../value-order.ts";
import { fromVariant } from "../variant.ts";
import { mergedSchema, schemaText, type VariantSchema, variantSchema } from "../variant-schema.ts";
import { type AggregateDefinition, foldAccumulator } from "./definition.ts";

const VOID: VariantSchema = { kind: "VOID" };

/** A schema with its fields as a list, as it is saved. */
type Saved = readonly [string, ...Value[]];
const saved = (s: VariantSchema): Saved => {
  if (s.kind === "DECIMAL") return [s.kind, s.precision, s.scale];
  if (s.kind === "ARRAY") return [s.kind, saved(s.element)];
  return s.kind === "OBJECT" ? [s.kind, ...[...s.fields].map(([k, x]) => [k, saved(x)])] : [s.kind];
};
const loaded = ([kind, ...rest]: Saved): VariantSchema => {
  if (kind === "DECIMAL") return { kind, precision: rest[0] as number, scale: rest[1] as number };
  if (kind === "ARRAY") return { kind, element: loaded(rest[0] as unknown as Saved) };
  if (kind !== "OBJECT") return { kind } as VariantSchema;
  return {
    kind,
    fields: new Map((rest as unknown as [string, Saved][]).map(([k, x]) => [k, loaded(x)])),
  };
};

export const MERGED_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "collect_union",
    usage: "collect_union(array)",
    summary: "The distinct elements of the arrays, without nulls, in the order they first came.",
    resolve: signature([array], (args) => args[0]!.type, { nullable: false }),
    create: (call) => {
      const type = call.args[0]!.type;
      const key = valueKey(type.kind === "array" ? type.element : type);
      const put = (s: Map<Value, Value>, elements: readonly Value[]): Map<Value, Value> => {
        for (const v of elements) if (v !== null && !s.has(key(v))) s.set(key(v), v);
        return s;
      };
      return foldAccumulator<Map<Value, Value>>({
        empty: () => new Map(),
        add: (s, [v]) => (v === null ? s : put(s, v as readonly Value[])),
        merge: (s, o) => put(s, [...o.values()]),
        result: (s) => [...s.values()],
        save: (s) => [...s.values()],
        load: (v) => put(new Map(), v as readonly Value[]),
      });
    },
    ordered: true,
    ignoresDuplicates: true,
  },
  {
    name: "schema_of_variant_agg",
    usage: "schema_of_variant_agg(variant)",
    summary: "The schema that the variants have in common.",
    resolve: signature([variant], STRING, { nullable: false }),
    create: () =>
      foldAccumulator<VariantSchema>({
        empty: () => VOID,
        add: (s, [v]) => (v === null ? s : mergedSchema(s, variantSchema(fromVariant(v!)))),
        merge: mergedSchema,
        result: schemaText,
        save: saved,
        load: (v) => loaded(v as unknown as Saved),
      }),
    ignoresDuplicates: true,
  },
];
