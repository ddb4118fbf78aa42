/** Hashes that decide routing. They are part of the checkpoint format: changing one needs a new topology version. */
import type { KeyGroup } from "./brands.ts";

export const KEY_GROUPS = 256;

/** 32-bit FNV-1a with a final mix over the char codes of a string. */
export const hashString = (s: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193);
  return mix(h);
};

/** `hashString` of the text whose bytes, all below 128, are [from, to). */
export const hashAscii = (bytes: Uint8Array, from: number, to: number): number => {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return mix(h);
};

/** murmur3's finaliser: spreads every bit of a 32-bit integer. */
export const mix = (x: number): number => {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** Hash of a number; -0 and 0 agree, integers and equal doubles agree. */
export const hashNumber = (x: number): number => {
  if (x === (x | 0)) return mix(x | 0);
  double[0] = x;
  return mix(words[0]! ^ Math.imul(words[1]!, 0x9e3779b1));
};

export const combineHash = (a: number, b: number): number => mix(Math.imul(a, 31) ^ b);

export const keyGroupOf = (hash: number): KeyGroup => (hash & (KEY_GROUPS - 1)) as KeyGroup;

/** The partition that owns a key group when there are `partitions`: contiguous ranges. */
export const partitionOfKeyGroup = (group: number, partitions: number): number =>
  Math.floor((group * partitions) / KEY_GROUPS);

/** Whether partition `p` of `n` owns the key group. */
export const ownsKeyGroup =
  (p: number, n: number) =>
  (group: number): boolean =>
    partitionOfKeyGroup(group, n) === p;
