/**
 * A column under construction: decoders fill it by row number, any order, each row at most once after `clear`ed slots. Typed arrays per layout, so
 * that fill loops see one array type each.
 */
import type { DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { layoutOf, type Vector } from "../../core/vector.ts";

export class ColumnBuffer {
  readonly type: DataType;
  readonly layout: Vector["layout"];
  readonly nulls: Uint8Array;
  readonly bools: Uint8Array;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
  readonly values: Value[];
  readonly dictionary: string[] = [];
  readonly #ids = new Map<string, number>();
  /** Longs outside the safe range, by row. */
  #bigs: Map<number, bigint> | undefined;
  #last = "";
  #lastId = -1;

  constructor(type: DataType, rows: number) {
    this.type = type;
    this.layout = layoutOf(type);
    this.nulls = new Uint8Array(rows);
    this.bools = new Uint8Array(this.layout === "bool" ? rows : 0);
    this.ints = new Int32Array(this.layout === "i32" || this.layout === "dict" ? rows : 0);
    this.doubles = new Float64Array(this.layout === "f64" ? rows : 0);
    this.values = this.layout === "any" ? new Array<Value>(rows).fill(null) : [];
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
        if (typeof value === "bigint") (this.#bigs ??= new Map()).set(row, value);
        else this.doubles[row] = (value as number | null) ?? 0;
        break;
      default:
        this.values[row] = value;
    }
  }

  /** The finished vector; the buffer must not be used afterwards. */
  vector(): Vector {
    const nulls = this.nulls.includes(1) ? this.nulls : undefined;
    switch (this.layout) {
      case "bool":
        return { layout: "bool", data: this.bools, nulls };
      case "i32":
        return { layout: "i32", data: this.ints, nulls };
      case "dict":
        return { layout: "dict", data: this.ints, dictionary: this.dictionary, nulls };
      case "f64":
        return this.#bigs === undefined
          ? { layout: "f64", data: this.doubles, nulls }
          : { layout: "i64", data: this.#wide(this.#bigs), nulls };
      default:
        return { layout: "any", data: this.values, nulls };
    }
  }

  #wide(bigs: Map<number, bigint>): BigInt64Array {
    const data = BigInt64Array.from(this.doubles, BigInt);
    for (const [row, value] of bigs) data[row] = value;
    return data;
  }
}
