/** Entries of maps: keys are never null and never twice. */
import type { DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { valueKey } from "../value-order.ts";
import { failure } from "./definition.ts";

export type Entries = readonly (readonly [Value, Value])[];

/** Checks keys as Spark does (EXCEPTION policy). @throws ExecutionError NULL_MAP_KEY, DUPLICATED_MAP_KEY */
export const uniqueKeys = (entries: Entries, keyType: DataType): Entries => {
  const key = valueKey(keyType);
  const seen = new Set<unknown>();
  for (const [k] of entries) {
    if (k === null) throw failure("NULL_MAP_KEY", "Cannot use null as map key.");
    const id = key(k);
    if (seen.has(id))
      throw failure(
        "DUPLICATED_MAP_KEY",
        `Duplicate map key ${String(k)} was found, please check the input data.`,
      );
    seen.add(id);
  }
  return entries;
};
