/** bitmap_construct_agg, bitmap_or_agg, bitmap_and_agg: bitmaps of 4,096 bytes, never null. B1: a state is the bitmap itself, saved as a copy. */
import { BINARY, LONG } from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import type { Parameter } from "../rules.ts";
import { signature } from "../rules.ts";
import { unexpectedInput } from "../type-errors.ts";
import { type AggregateDefinition, foldAccumulator } from "./definition.ts";

const BYTES = 4096;

const setBit = (s: Uint8Array, position: Value): Uint8Array => {
  const n = BigInt(position as number | bigint);
  if (n < 0n || n >= BigInt(BYTES * 8))
    throw new ExecutionError(
      `[INVALID_BITMAP_POSITION] The 0-indexed bitmap position ${n} is out of bounds. The bitmap has ${BYTES * 8} bits (${BYTES} bytes).`,
      { errorClass: "INVALID_BITMAP_POSITION" },
    );
  s[Number(n >> 3n)]! |= 1 << Number(n & 7n);
  return s;
};

const joined =
  (and: boolean) =>
  (s: Uint8Array, v: Value): Uint8Array => {
    const bytes = v as Uint8Array;
    // Bytes that a shorter bitmap lacks are zeros.
    for (let i = 0; i < BYTES; i++) s[i] = and ? s[i]! & (bytes[i] ?? 0) : s[i]! | (bytes[i] ?? 0);
    return s;
  };

const bitmap = (
  name: string,
  summary: string,
  of: Parameter,
  start: number,
  put: (s: Uint8Array, v: Value) => Uint8Array,
  merge: (s: Uint8Array, o: Value) => Uint8Array,
): AggregateDefinition => ({
  name,
  usage: `${name}(x)`,
  summary,
  resolve: (args, site) => {
    const kind = args[0]?.type.kind;
    if (of === BINARY && args.length === 1 && kind !== "binary")
      throw unexpectedInput(site, args, 0, `"BINARY"`);
    return signature([of], BINARY, { nullable: false })(args, site);
  },
  create: () =>
    foldAccumulator<Uint8Array>({
      empty: () => new Uint8Array(BYTES).fill(start),
      add: (s, [v]) => (v === null ? s : put(s, v!)),
      merge,
      result: (s) => s.slice(),
      save: (s) => s.slice(),
      load: (saved) => (saved as Uint8Array).slice(),
    }),
  ignoresDuplicates: true,
});

export const BITMAP_AGGREGATES: readonly AggregateDefinition[] = [
  bitmap(
    "bitmap_construct_agg",
    "The bitmap with the bits of the values set: bitmap_bit_position() of a bucket.",
    LONG,
    0,
    setBit,
    joined(false),
  ),
  bitmap("bitmap_or_agg", "The bits set in any of the bitmaps.", BINARY, 0, joined(false), joined(false)),
  bitmap("bitmap_and_agg", "The bits set in all of the bitmaps.", BINARY, 255, joined(true), joined(true)),
];
