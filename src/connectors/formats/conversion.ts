/**
 * External values (JSON, msgpack, user rows) as values of a type.
 *
 * C1 Nothing is thrown: a value that does not fit gives null and sets `problem`, so that the rest of the row is kept, as in
 *    Spark's permissive mode. C2 A number whose text may say more than its double sets `needsExact`: the caller parses the text again with
 *    exact numbers (`json-exact.ts`).
 */
import type { DataType } from "../../core/data-type.ts";
import { typeName } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import { ExactNumber, renderJson } from "./json-exact.ts";
import { dateOfText, timestampNtzOfText, timestampOfText } from "./time-text.ts";

const INTEGER_RANGE: Readonly<Record<"byte" | "short" | "int", number>> = {
  byte: 128,
  short: 32_768,
  int: 2_147_483_648,
};
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;

/** The texts that stand for doubles JSON has no number for. */
export const SPECIAL_DOUBLES: ReadonlyMap<string, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["+Infinity", Infinity],
  ["+INF", Infinity],
  ["INF", Infinity],
  ["-Infinity", -Infinity],
  ["-INF", -Infinity],
]);

const DECIMAL_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/** The unscaled value of a decimal's text, rounded half up to the scale; undefined when it is none or does not fit. */
export const decimalOfText = (text: string, precision: number, scale: number): bigint | undefined => {
  const m = DECIMAL_TEXT.exec(text.trim());
  if (m === null || (m[2] === "" && (m[3] ?? "") === "")) return undefined;
  const fraction = m[3] ?? "";
  const shift = scale - fraction.length + Number(m[4] ?? 0);
  if (shift > 80 || shift < -2000) return shift > 80 && /^0*$/.test(m[2]! + fraction) ? 0n : undefined;
  let unscaled = BigInt(`${m[2]}${fraction}` || "0");
  if (shift >= 0) unscaled *= 10n ** BigInt(shift);
  else {
    const divisor = 10n ** BigInt(-shift);
    unscaled = (unscaled + divisor / 2n) / divisor;
  }
  if (unscaled >= 10n ** BigInt(precision)) return undefined;
  return m[1] === "-" ? -unscaled : unscaled;
};

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

export class ValueConverter {
  /** What did not fit since it was last set to undefined. */
  problem: string | undefined;
  needsExact = false;
  readonly #zone: string;

  constructor(timeZone: string) {
    this.#zone = timeZone;
  }

  convert(x: unknown, type: DataType): Value {
    if (x === null || x === undefined) return null;
    switch (type.kind) {
      case "boolean":
        return typeof x === "boolean" ? x : this.#misfit(x, type);
      case "byte":
      case "short":
      case "int":
        return this.#integer(x, type, INTEGER_RANGE[type.kind]);
      case "long":
        return this.#long(x, type);
      case "float":
      case "double":
        return this.#double(x, type);
      case "decimal":
        return this.#decimal(x, type);
      case "string":
        return this.#string(x);
      case "binary":
        if (x instanceof Uint8Array) return x;
        if (typeof x === "string" && BASE64.test(x)) return new Uint8Array(Buffer.from(x, "base64"));
        return this.#misfit(x, type);
      case "timestamp":
      case "timestamp_ntz":
      case "date":
        return this.#time(x, type);
      case "yearMonthInterval":
        return this.#integer(x, type, 2_147_483_648);
      case "dayTimeInterval":
        return this.#long(x, type);
      case "array":
        return Array.isArray(x) ? x.map((e) => this.convert(e, type.element)) : this.#misfit(x, type);
      case "map":
        return this.#map(x, type);
      case "struct":
        return this.#struct(x, type);
      case "variant":
        return { variant: x instanceof ExactNumber ? Number(x.text) : x };
      default:
        return this.#misfit(x, type);
    }
  }

  #misfit(x: unknown, type: DataType): null {
    const text =
      x instanceof ExactNumber
        ? x.text
        : typeof x === "string"
          ? `"${x}"`
          : Array.isArray(x)
            ? "an array"
            : typeof x === "object"
              ? "an object"
              : String(x);
    this.problem ??= `${text.length > 80 ? `${text.slice(0, 80)}…` : text} is no ${typeName(type)}`;
    return null;
  }

  #integer(x: unknown, type: DataType, limit: number): Value {
    const n = x instanceof ExactNumber ? Number(x.text) : typeof x === "bigint" ? Number(x) : x;
    if (typeof n === "number" && Number.isInteger(n) && n >= -limit && n < limit) return n + 0;
    return this.#misfit(x, type);
  }

  #long(x: unknown, type: DataType): Value {
    if (typeof x === "number") {
      if (Number.isSafeInteger(x)) return x + 0;
      if (Number.isInteger(x)) this.needsExact = true;
      return this.#misfit(x, type);
    }
    const n = x instanceof ExactNumber ? x.integer() : typeof x === "bigint" ? x : undefined;
    return n === undefined || n < LONG_MIN || n > LONG_MAX ? this.#misfit(x, type) : canonicalLong(n);
  }

  #double(x: unknown, type: DataType): Value {
    const n =
      x instanceof ExactNumber || typeof x === "bigint"
        ? Number(x instanceof ExactNumber ? x.text : x)
        : typeof x === "string"
          ? SPECIAL_DOUBLES.get(x)
          : x;
    if (typeof n !== "number") return this.#misfit(x, type);
    return type.kind === "float" ? Math.fround(n) : n;
  }

  #decimal(x: unknown, type: DataType & { kind: "decimal" }): Value {
    const text =
      typeof x === "string"
        ? x
        : x instanceof ExactNumber
          ? x.text
          : typeof x === "number" || typeof x === "bigint"
            ? String(x)
            : "";
    if (typeof x === "number") this.needsExact = true;
    return decimalOfText(text, type.precision, type.scale) ?? this.#misfit(x, type);
  }

  #string(x: unknown): Value {
    if (typeof x === "string") return x;
    if (typeof x === "boolean") return String(x);
    // The text of a number or of a nested value as it stood.
    this.needsExact = true;
    try {
      return renderJson(x);
    } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      this.problem ??= "a value is nested too deep";
      return null;
    }
  }

  #time(x: unknown, type: DataType): Value {
    let value = NaN;
    if (type.kind === "date") {
      if (typeof x === "string") value = dateOfText(x);
      else if (x instanceof Date) value = Math.floor(x.getTime() / 86_400_000);
      else if (typeof x === "number" && Number.isInteger(x) && Math.abs(x) < 2_147_483_648) value = x;
      else if (x instanceof ExactNumber) return this.#integer(x, type, 2_147_483_648);
    } else if (typeof x === "number") value = x;
    else if (typeof x === "string")
      value = type.kind === "timestamp" ? timestampOfText(x, this.#zone) : timestampNtzOfText(x);
    else if (x instanceof Date) value = x.getTime();
    else if (x instanceof ExactNumber) value = Number(x.text);
    else if (typeof x === "bigint") value = Number(x);
    return Number.isFinite(value) ? value + 0 : this.#misfit(x, type);
  }

  #map(x: unknown, type: DataType & { kind: "map" }): Value {
    const entries =
      x instanceof Map
        ? [...x]
        : typeof x === "object" && !Array.isArray(x) && !(x instanceof ExactNumber) && x !== null
          ? Object.entries(x)
          : undefined;
    if (entries === undefined) return this.#misfit(x, type);
    return entries.map(
      ([k, v]) =>
        [
          type.key.kind === "string" && typeof k === "string" ? k : this.#key(k, type.key),
          this.convert(v, type.value),
        ] as const,
    );
  }

  /** Keys of objects are text: one of another type is read from it. */
  #key(k: unknown, type: DataType): Value {
    if (
      typeof k !== "string" ||
      ["timestamp", "timestamp_ntz", "date", "binary", "decimal"].includes(type.kind)
    )
      return this.convert(k, type);
    if (type.kind === "boolean") return k === "true" ? true : k === "false" ? false : this.#misfit(k, type);
    return /^[+-]?[\d.]+([eE][+-]?\d+)?$/.test(k)
      ? this.convert(new ExactNumber(k), type)
      : this.convert(k, type);
  }

  #struct(x: unknown, type: DataType & { kind: "struct" }): Value {
    if (typeof x !== "object" || x === null || x instanceof ExactNumber || ArrayBuffer.isView(x))
      return this.#misfit(x, type);
    if (Array.isArray(x))
      return x.length === type.fields.length
        ? type.fields.map((f, i) => this.convert(x[i], f.type))
        : this.#misfit(x, type);
    if (x instanceof Map) return type.fields.map((f) => this.convert(x.get(f.name), f.type));
    const object = x as Record<string, unknown>;
    return type.fields.map((f) =>
      Object.hasOwn(object, f.name) ? this.convert(object[f.name], f.type) : null,
    );
  }
}
