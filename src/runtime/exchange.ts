/**
 * The exchange: which partition a row goes to. The hash of its key picks a key group, the group its owner (DESIGN section 1). Loops
 * over columns; the result is the same as `hashRow` over the values, whatever the layout.
 */
import type { Batch } from "../core/batch.ts";
import { rowCount, takeRows } from "../core/batch.ts";
import {
  combineHash,
  hashAscii,
  hashNumber,
  hashString,
  keyGroupOf,
  partitionOfKeyGroup,
} from "../core/hash.ts";
import type { Value } from "../core/value.ts";
import { stringAt, valueAt, type Vector } from "../core/vector.ts";
import { Utf8Strings } from "../core/utf8-strings.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { EvaluationContext } from "../expr/contract.ts";
import { hashValue } from "../state/key-codec.ts";
import type { DataType } from "../core/data-type.ts";

const NULL_HASH = 0x9e3779b1;

/** Combines the hashes of `v`'s first `n` rows into `hashes`. */
export const hashVector = (v: Vector, type: DataType, n: number, hashes: Uint32Array): void => {
  const { nulls } = v;
  if (v.layout === "dict") {
    const { data, dictionary } = v;
    // A shared dictionary may be larger than the batch: only entries in use are hashed, each once.
    const bytes = dictionary instanceof Utf8Strings && dictionary.ascii ? dictionary : undefined;
    const ofEntry = new Float64Array(dictionary.length).fill(-1);
    for (let i = 0; i < n; i++) {
      const id = data[i]!;
      if (ofEntry[id] === -1)
        ofEntry[id] =
          bytes === undefined
            ? hashString(stringAt(dictionary, id))
            : hashAscii(bytes.bytes, bytes.ends[id]!, bytes.ends[id + 1]!);
    }
    for (let i = 0; i < n; i++)
      hashes[i] = combineHash(
        hashes[i]!,
        nulls !== undefined && nulls[i] === 1 ? NULL_HASH : ofEntry[data[i]!]!,
      );
    return;
  }
  if (v.layout === "f64" || v.layout === "i32" || v.layout === "bool") {
    const { data } = v;
    for (let i = 0; i < n; i++)
      hashes[i] = combineHash(
        hashes[i]!,
        nulls !== undefined && nulls[i] === 1 ? NULL_HASH : hashNumber(data[i]!),
      );
    return;
  }
  // Rows of one window share its value: it is hashed once a run.
  let last: Value | undefined;
  let hash = 0;
  for (let i = 0; i < n; i++) {
    const x = valueAt(v, i);
    if (x !== last || i === 0) hash = hashValue((last = x), type);
    hashes[i] = combineHash(hashes[i]!, hash);
  }
};

export class Exchange {
  readonly #partitions: number;
  readonly #types: readonly DataType[];
  readonly #keys: ((batch: Batch, context: EvaluationContext) => readonly Vector[]) | undefined;
  readonly #owner: Uint8Array;

  constructor(hashBy: readonly TypedExpr[], partitions: number) {
    this.#partitions = partitions;
    this.#types = hashBy.map((e) => e.type);
    this.#keys = hashBy.length === 0 || partitions === 1 ? undefined : compileExprs(hashBy);
    this.#owner = Uint8Array.from({ length: 256 }, (_, g) => partitionOfKeyGroup(g, partitions));
  }

  /** The rows of each partition, in order; undefined where a partition gets none. */
  split(batch: Batch, context: EvaluationContext): readonly (Batch | undefined)[] {
    const n = rowCount(batch);
    const out: (Batch | undefined)[] = new Array(this.#partitions).fill(undefined);
    if (n === 0) return out;
    if (this.#keys === undefined) {
      out[0] = batch;
      return out;
    }
    const hashes = new Uint32Array(n);
    this.#keys(batch, context).forEach((v, k) => hashVector(v, this.#types[k]!, n, hashes));
    const counts = new Int32Array(this.#partitions);
    const target = new Uint8Array(n);
    for (let i = 0; i < n; i++) counts[(target[i] = this.#owner[keyGroupOf(hashes[i]!)]!)]!++;
    const lists = Array.from(counts, (c) => new Int32Array(c));
    const filled = new Int32Array(this.#partitions);
    const { selection } = batch;
    for (let i = 0; i < n; i++) {
      const p = target[i]!;
      lists[p]![filled[p]!++] = selection === undefined ? i : selection[i]!;
    }
    lists.forEach((rows, p) => {
      if (rows.length > 0) out[p] = rows.length === batch.length ? batch : takeRows(batch, rows);
    });
    return out;
  }
}
