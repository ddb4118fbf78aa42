/**
 * JSON at the level of bytes: what the generated decoders (`json-codegen.ts`) call.
 *
 * S1 Everything passed over is checked: these functions say FAIL (or NaN) for each text that JSON.parse refuses, and for what they leave to it (deep
 *    nesting, numbers that need care); the caller then hands the whole record to JSON.parse. S2 `cursor[0]` is the position behind what was read.
 *    S3 Positions are offsets into the whole ArrayBuffer; reads behind its end give undefined or are guarded by `end`.
 */
import { timestampFields } from "./time-text.ts";

export const FAIL = -1;
/** Nested deeper than this is left to JSON.parse. */
const DEPTH_MAX = 64;
/** So many digits are exact in a double. */
const DIGITS_MAX = 15;

/** Where the last read ended; one for all decoders: every read is over before the next begins. */
export const cursor = new Int32Array(1);

/** The memory that is read, as words; set by `readWords` before a payload is read. */
let words: Int32Array<ArrayBufferLike> = new Int32Array(0);

/** Makes `memory` the one that `plainEnd` reads. */
export const readWords = (memory: ArrayBufferLike): void => {
  if (words.buffer !== memory) words = new Int32Array(memory, 0, memory.byteLength >> 2);
};

/** Bytes as 32-bit words of four letters, little end first. */
export const NULL_WORD = 0x6c6c756e;
const TRUE_WORD = 0x65757274;
const ALSE_WORD = 0x65736c61;

const slices = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
};
export const latin1 = (b: Uint8Array, from: number, to: number): string =>
  slices.latin1Slice.call(b, from, to);
export const utf8 = (b: Uint8Array, from: number, to: number): string => slices.utf8Slice.call(b, from, to);

/** Behind the blanks at `p`. `newline` is 10 where line feeds are blanks, else 32. */
export const space = (b: Uint8Array, p: number, newline: number): number => {
  for (;;) {
    const c = b[p];
    if (c !== 32 && c !== newline && c !== 13 && c !== 9) return p;
    p++;
  }
};

/** Behind the four letters `word` at `p`. */
export const word = (v: DataView, p: number, end: number, letters: number): number =>
  p + 4 <= end && v.getInt32(p, true) === letters ? p + 4 : FAIL;

/** 1 or 0 and the cursor behind it; FAIL when there is neither `true` nor `false`. */
export const truth = (v: DataView, p: number, end: number): number => {
  if (p + 4 <= end && v.getInt32(p, true) === TRUE_WORD) {
    cursor[0] = p + 4;
    return 1;
  }
  if (p + 5 <= end && v.getUint8(p) === 102 && v.getInt32(p + 1, true) === ALSE_WORD) {
    cursor[0] = p + 5;
    return 0;
  }
  return FAIL;
};

/** An integer of at most 15 digits; NaN for any other value (and for numbers written with a fraction or an exponent). */
export const integer = (b: Uint8Array, p: number): number => {
  let c = b[p];
  const negative = c === 45;
  if (negative) c = b[++p];
  let x = 0;
  if (c === 48) c = b[++p];
  else {
    const start = p;
    while (c! >= 48 && c! <= 57) {
      x = x * 10 + (c! - 48);
      c = b[++p];
    }
    if (p === start || p - start > DIGITS_MAX) return NaN;
  }
  if (c === 46 || c === 101 || c === 69 || (c! >= 48 && c! <= 57)) return NaN;
  cursor[0] = p;
  return negative ? 0 - x : x;
};

const LONG_MAX = 2n ** 63n - 1n;

/** A long of 16 to 19 digits; undefined for any other value. */
export const wideInteger = (b: Uint8Array, p: number): bigint | undefined => {
  const negative = b[p] === 45;
  if (negative) p++;
  let high = 0;
  let low = 0;
  let digits = 0;
  let c = b[p];
  if (c === 48) return undefined;
  while (c! >= 48 && c! <= 57 && digits < 20) {
    if (digits < 10) high = high * 10 + (c! - 48);
    else low = low * 10 + (c! - 48);
    digits++;
    c = b[++p];
  }
  if (digits <= DIGITS_MAX || digits > 19 || c === 46 || c === 101 || c === 69) return undefined;
  const x = BigInt(high) * BigInt(10 ** (digits - 10)) + BigInt(low);
  if (x > (negative ? LONG_MAX + 1n : LONG_MAX)) return undefined;
  cursor[0] = p;
  return negative ? -x : x;
};

/** Powers of ten that are exact. */
export const POWERS = Float64Array.from({ length: DIGITS_MAX + 1 }, (_, i) => 10 ** i);

/** Any JSON number as a double, rounded as JSON.parse does; NaN for any other value. */
export const real = (b: Uint8Array, p: number): number => {
  const start = p;
  let c = b[p];
  const negative = c === 45;
  if (negative) c = b[++p];
  let x = 0;
  const first = p;
  if (c === 48) c = b[++p];
  else
    while (c! >= 48 && c! <= 57) {
      x = x * 10 + (c! - 48);
      c = b[++p];
    }
  let digits = p - first;
  if (digits === 0) return NaN;
  let fraction = 0;
  if (c === 46) {
    const dot = p;
    c = b[++p];
    while (c! >= 48 && c! <= 57) {
      x = x * 10 + (c! - 48);
      c = b[++p];
    }
    fraction = p - dot - 1;
    if (fraction === 0) return NaN;
    digits += fraction;
  }
  if (c === 101 || c === 69) {
    c = b[++p];
    if (c === 43 || c === 45) c = b[++p];
    const exponent = p;
    while (c! >= 48 && c! <= 57) c = b[++p];
    if (p === exponent) return NaN;
    digits = Infinity;
  } else if (c! >= 48 && c! <= 57) return NaN;
  cursor[0] = p;
  if (digits > DIGITS_MAX) return Number(latin1(b, start, p));
  if (fraction > 0) x /= POWERS[fraction]!;
  return negative ? -x : x;
};

/** The bits by which four bytes of a string's inside show a quote, a backslash or a control character. */
const special = (w: number): number => {
  const quote = w ^ 0x22222222;
  const slash = w ^ 0x5c5c5c5c;
  return (
    (((w - 0x20202020) & ~w) | ((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash)) &
    -0x7f7f7f80
  );
};

const isHex = (c: number | undefined): boolean =>
  c !== undefined && ((c >= 48 && c <= 57) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102));

/** Behind the escape whose backslash is at `p`. */
export const escapeEnd = (b: Uint8Array, p: number): number => {
  switch (b[p + 1]) {
    case 34: // "
    case 47: // /
    case 92: // \
    case 98: // b
    case 102: // f
    case 110: // n
    case 114: // r
    case 116: // t
      return p + 2;
    case 117: // u
      return isHex(b[p + 2]) && isHex(b[p + 3]) && isHex(b[p + 4]) && isHex(b[p + 5]) ? p + 6 : FAIL;
    default:
      return FAIL;
  }
};

/** Position of the first quote, backslash or control character from `p` on (or behind the end). */
export const plainEnd = (b: Uint8Array, p: number, end: number): number => {
  let c = b[p];
  while ((p & 3) !== 0) {
    if (!(c! >= 32) || c === 34 || c === 92) return p;
    c = b[++p];
  }
  const w = words;
  const limit = Math.min((end >> 2) - 1, w.length - 1);
  let i = p >> 2;
  while (i < limit && (special(w[i]!) | special(w[i + 1]!)) === 0) i += 2;
  p = i << 2;
  c = b[p];
  while (c! >= 32 && c !== 34 && c !== 92) c = b[++p];
  return p;
};

/** Behind the string whose first character is at `p`. */
export const skipString = (b: Uint8Array, v: DataView, p: number, end: number): number => {
  for (;;) {
    p = plainEnd(b, p, end);
    const c = b[p];
    if (c === 34) return p + 1;
    if (c !== 92) return FAIL;
    p = escapeEnd(b, p);
    if (p < 0) return FAIL;
  }
};

const skipNumber = (b: Uint8Array, p: number): number => {
  let c = b[p];
  if (c === 45) c = b[++p];
  const first = p;
  if (c === 48) c = b[++p];
  else while (c! >= 48 && c! <= 57) c = b[++p];
  if (p === first) return FAIL;
  if (c === 46) {
    const dot = p;
    c = b[++p];
    while (c! >= 48 && c! <= 57) c = b[++p];
    if (p === dot + 1) return FAIL;
  }
  if (c === 101 || c === 69) {
    c = b[++p];
    if (c === 43 || c === 45) c = b[++p];
    const exponent = p;
    while (c! >= 48 && c! <= 57) c = b[++p];
    if (p === exponent) return FAIL;
  }
  return p;
};

/** Behind the value at `p`, checked as JSON.parse would. */
export const skipValue = (
  b: Uint8Array,
  v: DataView,
  p: number,
  end: number,
  newline: number,
  depth = 0,
): number => {
  switch (b[p]) {
    case 34:
      return skipString(b, v, p + 1, end);
    case 123:
      return depth > DEPTH_MAX ? FAIL : skipObject(b, v, p + 1, end, newline, depth + 1);
    case 91:
      return depth > DEPTH_MAX ? FAIL : skipArray(b, v, p + 1, end, newline, depth + 1);
    case 110:
      return word(v, p, end, NULL_WORD);
    case 116:
    case 102:
      return truth(v, p, end) < 0 ? FAIL : cursor[0]!;
    default:
      return skipNumber(b, p);
  }
};

const skipObject = (
  b: Uint8Array,
  v: DataView,
  p: number,
  end: number,
  newline: number,
  depth: number,
): number => {
  p = space(b, p, newline);
  if (b[p] === 125) return p + 1;
  for (;;) {
    if (b[p] !== 34) return FAIL;
    p = skipString(b, v, p + 1, end);
    if (p < 0) return FAIL;
    if (b[p] !== 58) {
      p = space(b, p, newline);
      if (b[p] !== 58) return FAIL;
    }
    p = skipValue(b, v, space(b, p + 1, newline), end, newline, depth);
    if (p < 0) return FAIL;
    p = space(b, p, newline);
    const c = b[p];
    if (c === 125) return p + 1;
    if (c !== 44) return FAIL;
    p = space(b, p + 1, newline);
  }
};

const skipArray = (
  b: Uint8Array,
  v: DataView,
  p: number,
  end: number,
  newline: number,
  depth: number,
): number => {
  p = space(b, p, newline);
  if (b[p] === 93) return p + 1;
  for (;;) {
    p = skipValue(b, v, p, end, newline, depth);
    if (p < 0) return FAIL;
    p = space(b, p, newline);
    const c = b[p];
    if (c === 93) return p + 1;
    if (c !== 44) return FAIL;
    p = space(b, p + 1, newline);
  }
};

const pair = (b: Uint8Array, p: number): number => {
  const x = b[p]! - 48;
  const y = b[p + 1]! - 48;
  return x >= 0 && x <= 9 && y >= 0 && y <= 9 ? x * 10 + y : -1;
};

/** Milliseconds of the text between the quotes at `p - 1` and behind it when it is `YYYY-MM-DDTHH:MM:SS[.f{1,6}]Z`; NaN for any other. */
export const instant = (b: Uint8Array, p: number): number => {
  if (b[p + 4] !== 45 || b[p + 7] !== 45 || b[p + 13] !== 58 || b[p + 16] !== 58) return NaN;
  if (b[p + 10] !== 84 && b[p + 10] !== 32) return NaN;
  const century = pair(b, p);
  const year = pair(b, p + 2);
  if (century < 0 || year < 0) return NaN;
  let micros = 0;
  let at = p + 19;
  if (b[at] === 46) {
    let weight = 100_000;
    let c = b[++at];
    const start = at;
    while (c! >= 48 && c! <= 57 && at - start < 6) {
      micros += (c! - 48) * weight;
      weight /= 10;
      c = b[++at];
    }
    if (at === start) return NaN;
  }
  if (b[at] !== 90 || b[at + 1] !== 34) return NaN;
  cursor[0] = at + 2;
  return timestampFields(
    century * 100 + year,
    pair(b, p + 5),
    pair(b, p + 8),
    pair(b, p + 11),
    pair(b, p + 14),
    pair(b, p + 17),
    micros,
  );
};
