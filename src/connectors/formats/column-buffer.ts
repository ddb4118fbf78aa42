/**
 * A column under construction: decoders fill it by row number, any order. Typed arrays per layout, so that fill loops see one array type each;
 * generated decoders write into them directly.
 */
import type { DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { Utf8Strings } from "../../core/utf8-strings.ts";
import { layoutOf, type Vector } from "../../core/vector.ts";

/** The first `n` elements, sharing memory. */
const first = <T extends Uint8Array | Int32Array | Float64Array | BigInt64Array>(data: T, n: number): T =>
  data.length === n ? data : (data.subarray(0, n) as T);

export class ColumnBuffer {
  readonly type: DataType;
  readonly layout: Vector["layout"];
  nulls: Uint8Array;
  bools: Uint8Array;
  ints: Int32Array;
  doubles: Float64Array;
  readonly values: Value[];
  readonly dictionary: string[] | Utf8Strings;
  readonly #ids = new Map<string, number>();
  /** Longs outside the safe range: 1 by row, and their values. */
  #isWide: Uint8Array | undefined;
  #wide = new BigInt64Array(0);
  #last = "";
  #lastId = -1;

  /** `dictionary`: one that goes on from an earlier batch. */
  constructor(type: DataType, rows: number, dictionary: string[] | Utf8Strings = []) {
    this.type = type;
    this.layout = layoutOf(type);
    this.dictionary = dictionary;
    this.nulls = new Uint8Array(rows);
    this.bools = new Uint8Array(this.layout === "bool" ? rows : 0);
    this.ints = new Int32Array(this.layout === "i32" || this.layout === "dict" ? rows : 0);
    this.doubles = new Float64Array(this.layout === "f64" ? rows : 0);
    this.values = this.layout === "any" ? new Array<Value>(rows).fill(null) : [];
  }

  /** Room for so many rows; the arrays are new ones. */
  grow(rows: number): void {
    const bigger = <T extends Uint8Array | Int32Array | Float64Array | BigInt64Array>(old: T): T => {
      if (old.length === 0) return old;
      const next = new (old.constructor as new (n: number) => T)(rows);
      next.set(old as never);
      return next;
    };
    this.nulls = bigger(this.nulls);
    this.bools = bigger(this.bools);
    this.ints = bigger(this.ints);
    this.doubles = bigger(this.doubles);
    if (this.layout === "any") while (this.values.length < rows) this.values.push(null);
    if (this.#isWide === undefined) return;
    this.#isWide = bigger(this.#isWide);
    this.#wide = bigger(this.#wide);
  }

  /** The id of a string in this column's dictionary. */
  idOf(s: string): number {
    if (s === this.#last && this.#lastId >= 0) return this.#lastId;
    let id = this.#ids.get(s);
    if (id === undefined) {
      id = this.dictionary.length;
      this.dictionary.push(s);
      this.#ids.set(s, id);
    }
    this.#last = s;
    return (this.#lastId = id);
  }

  set(row: number, value: Value): void {
    this.nulls[row] = value === null ? 1 : 0;
    switch (this.layout) {
      case "bool":
        this.bools[row] = value === true ? 1 : 0;
        break;
      case "i32":
        this.ints[row] = (value as number | null) ?? 0;
        break;
      case "dict":
        this.ints[row] = value === null ? 0 : this.idOf(value as string);
        break;
      case "f64":
        if (typeof value === "bigint") this.setWide(row, value);
        else {
          this.doubles[row] = (value as number | null) ?? 0;
          if (this.#isWide !== undefined) this.#isWide[row] = 0;
        }
        break;
      default:
        this.values[row] = value;
    }
  }

  /** Sets a long that may be outside the safe range; the null flag stays as it is. */
  setWide(row: number, value: bigint): void {
    const rows = this.doubles.length;
    if (this.#isWide === undefined) {
      this.#isWide = new Uint8Array(rows);
      this.#wide = new BigInt64Array(rows);
    }
    this.doubles[row] = 0;
    this.#isWide[row] = 1;
    this.#wide[row] = value;
  }

  /** Forgets what was set for rows from `row` on. */
  truncate(row: number): void {
    this.nulls.fill(0, row);
    this.#isWide?.fill(0, row);
  }

  /** The finished vector of the first `rows` rows; the buffer must not be used afterwards. */
  vector(rows = this.nulls.length): Vector {
    const nulls = first(this.nulls, rows);
    const some = nulls.includes(1) ? nulls : undefined;
    switch (this.layout) {
      case "bool":
        return { layout: "bool", data: first(this.bools, rows), nulls: some };
      case "i32":
        return { layout: "i32", data: first(this.ints, rows), nulls: some };
      case "dict":
        return { layout: "dict", data: first(this.ints, rows), dictionary: this.dictionary, nulls: some };
      case "f64":
        return this.#isWide === undefined
          ? { layout: "f64", data: first(this.doubles, rows), nulls: some }
          : this.#integers(rows, this.#isWide, some);
      default:
        return {
          layout: "any",
          data: this.values.length === rows ? this.values : this.values.slice(0, rows),
          nulls: some,
        };
    }
  }

  #integers(rows: number, isWide: Uint8Array, nulls: Uint8Array | undefined): Vector {
    let unsafe = false;
    for (let i = 0; i < rows && !unsafe; i++)
      unsafe = isWide[i] === 1 && !Number.isSafeInteger(Number(this.#wide[i]));
    if (!unsafe) {
      for (let i = 0; i < rows; i++) if (isWide[i] === 1) this.doubles[i] = Number(this.#wide[i]);
      return { layout: "f64", data: first(this.doubles, rows), nulls };
    }
    const data = first(this.#wide, rows);
    for (let i = 0; i < rows; i++) if (isWide[i] === 0) data[i] = BigInt(this.doubles[i]!);
    return { layout: "i64", data, nulls };
  }
}
