/** Joins batches of one schema into one: small batches of an epoch become one frame. */
import { type Batch, batchOf, compact } from "./batch.ts";
import type { Value } from "./value.ts";
import type { BoolVector, Float64Vector, Int32Vector, StringVector, Vector } from "./vector.ts";
import { Utf8Strings } from "./utf8-strings.ts";
import { stringAt, valueAt } from "./vector.ts";

const concatNulls = (
  parts: readonly Vector[],
  lengths: readonly number[],
  total: number,
): Uint8Array | undefined => {
  if (parts.every((p) => p.nulls === undefined)) return undefined;
  const out = new Uint8Array(total);
  let at = 0;
  parts.forEach((p, k) => {
    if (p.nulls !== undefined) out.set(p.nulls.subarray(0, lengths[k]!), at);
    at += lengths[k]!;
  });
  return out;
};

const isBytes = (d: StringVector["dictionary"]): d is Utf8Strings => d instanceof Utf8Strings && d.exact;

/** Parts of one dictionary, or whose strings are all bytes: no text is made, equal strings of different parts stay apart. */
const concatBytes = (
  parts: readonly StringVector[],
  lengths: readonly number[],
  total: number,
): StringVector | undefined => {
  const [{ dictionary: first }] = parts as [StringVector];
  const nulls = concatNulls(parts, lengths, total);
  const data = new Int32Array(total);
  if (parts.every((p) => p.dictionary === first))
    return { layout: "dict", data: concatTyped(parts, lengths, data), dictionary: first, nulls };
  if (!parts.every((p) => isBytes(p.dictionary))) return undefined;
  // What is used of each part first, so that the memory is made once, of its size.
  let at = 0;
  let entries = 0;
  let bytes = 0;
  const uses = parts.map((p, k) => {
    const from = p.dictionary as Utf8Strings;
    const base = entries;
    const remap = new Int32Array(from.length).fill(-1);
    const used = new Int32Array(Math.min(from.length, lengths[k]!));
    let count = 0;
    for (let i = 0; i < lengths[k]!; i++, at++) {
      if (p.nulls !== undefined && p.nulls[i] === 1) continue;
      const old = p.data[i]!;
      if (remap[old]! < 0) {
        used[count] = old;
        remap[old] = base + count++;
        bytes += from.ends[old + 1]! - from.ends[old]!;
      }
      data[at] = remap[old]!;
    }
    entries += count;
    return { from, used, count };
  });
  const strings = new Utf8Strings(entries, bytes);
  for (const { from, used, count } of uses) strings.appendAll(from, used, count);
  return { layout: "dict", data, dictionary: strings, nulls };
};

const concatStrings = (parts: readonly StringVector[], lengths: readonly number[], total: number): Vector => {
  const joined = concatBytes(parts, lengths, total);
  if (joined !== undefined) return joined;
  const ids = new Map<string, number>();
  const dictionary: string[] = [];
  const data = new Int32Array(total);
  let at = 0;
  parts.forEach((p, k) => {
    const remap = new Int32Array(p.dictionary.length).fill(-1);
    for (let i = 0; i < lengths[k]!; i++) {
      const old = p.data[i]!;
      let id = remap[old]!;
      if (id < 0) {
        const s = stringAt(p.dictionary, old) ?? "";
        id = ids.get(s) ?? dictionary.length;
        if (id === dictionary.length) {
          ids.set(s, id);
          dictionary.push(s);
        }
        remap[old] = id;
      }
      data[at++] = id;
    }
  });
  return { layout: "dict", data, dictionary, nulls: concatNulls(parts, lengths, total) };
};

const concatTyped = <T extends BoolVector | Int32Vector | Float64Vector | StringVector>(
  parts: readonly T[],
  lengths: readonly number[],
  data: T["data"],
): T["data"] => {
  let at = 0;
  parts.forEach((p, k) => {
    data.set(p.data.subarray(0, lengths[k]!), at);
    at += lengths[k]!;
  });
  return data;
};

const widen = (parts: readonly Vector[], lengths: readonly number[], total: number): Vector => {
  const nulls = concatNulls(parts, lengths, total);
  if (parts.some((p) => p.layout === "i64") && parts.every((p) => p.layout !== "any")) {
    const data = new BigInt64Array(total);
    let at = 0;
    parts.forEach((p, k) => {
      for (let i = 0; i < lengths[k]!; i++)
        data[at++] = p.layout === "i64" ? p.data[i]! : BigInt(p.data[i] as number);
    });
    return { layout: "i64", data, nulls };
  }
  const data: Value[] = [];
  parts.forEach((p, k) => {
    for (let i = 0; i < lengths[k]!; i++) data.push(valueAt(p, i));
  });
  return { layout: "any", data, nulls };
};

const concatVectors = (parts: readonly Vector[], lengths: readonly number[], total: number): Vector => {
  const layout = parts[0]!.layout;
  if (layout === "any" || layout === "i64" || parts.some((p) => p.layout !== layout))
    return widen(parts, lengths, total);
  if (layout === "dict") return concatStrings(parts as readonly StringVector[], lengths, total);
  const nulls = concatNulls(parts, lengths, total);
  if (layout === "bool")
    return {
      layout,
      data: concatTyped(parts as readonly BoolVector[], lengths, new Uint8Array(total)),
      nulls,
    };
  if (layout === "i32")
    return {
      layout,
      data: concatTyped(parts as readonly Int32Vector[], lengths, new Int32Array(total)),
      nulls,
    };
  return {
    layout,
    data: concatTyped(parts as readonly Float64Vector[], lengths, new Float64Array(total)),
    nulls,
  };
};

/** One compact batch with the rows of all, in order. `batches` is not empty and of one schema. */
export const concatBatches = (batches: readonly Batch[]): Batch => {
  const parts = batches.map(compact);
  if (parts.length === 1) return parts[0]!;
  const lengths = parts.map((b) => b.length);
  const total = lengths.reduce((a, b) => a + b, 0);
  const { schema } = parts[0]!;
  return batchOf(
    schema,
    total,
    schema.fields.map((_, c) =>
      concatVectors(
        parts.map((b) => b.columns[c]!),
        lengths,
        total,
      ),
    ),
  );
};
