/**
 * A row as a record of our own logs (memory source): a msgpack array of its values in schema order. Exact for every type: what
 * msgpack has no form for (decimals beyond 64 bits) is text.
 */
import { Packr } from "msgpackr";
import { type Batch, batchFromRows } from "../../core/batch.ts";
import type { DataType } from "../../core/data-type.ts";
import { FrameError } from "../../core/errors.ts";
import { columnIndex, type Schema } from "../../core/schema.ts";
import { canonicalLong, type Row, type Value } from "../../core/value.ts";

const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "bigint" });

/** Whether values of a type go through msgpack as they are. */
const isPlain = (type: DataType): boolean => {
  switch (type.kind) {
    case "decimal":
    case "long":
      return false;
    case "array":
      return isPlain(type.element);
    case "map":
      return isPlain(type.key) && isPlain(type.value);
    case "struct":
      return type.fields.every((f) => isPlain(f.type));
    default:
      return true;
  }
};

type Step = (v: Value) => Value;

const nested = (type: DataType, leaf: (type: DataType, v: Value) => Value): Step => {
  if (isPlain(type)) return (v) => v;
  const orNull =
    (f: (v: Value) => Value): Step =>
    (v) =>
      v === null ? null : f(v);
  if (type.kind === "array") {
    const element = nested(type.element, leaf);
    return orNull((v) => (v as readonly Value[]).map(element));
  }
  if (type.kind === "map") {
    const [key, value] = [nested(type.key, leaf), nested(type.value, leaf)];
    return orNull((v) =>
      (v as readonly (readonly [Value, Value])[]).map(([k, x]) => [key(k), value(x)] as const),
    );
  }
  if (type.kind === "struct") {
    const fields = type.fields.map((f) => nested(f.type, leaf));
    return orNull((v) => (v as readonly Value[]).map((x, i) => fields[i]!(x)));
  }
  return orNull((v) => leaf(type, v));
};

const toWire = (type: DataType, v: Value): Value => (type.kind === "decimal" ? String(v) : v);
const fromWire = (type: DataType, v: Value): Value =>
  type.kind === "decimal" ? BigInt(v as string) : typeof v === "bigint" ? canonicalLong(v) : v;

/** Encodes rows of a schema. */
export const rowEncoder = (schema: Schema): ((row: Row) => Uint8Array) => {
  const steps = schema.fields.map((f) => nested(f.type, toWire));
  return (row) => new Uint8Array(packr.pack(steps.map((step, i) => step(row[i] ?? null))));
};

/** Decodes records of rows of `written` to batches of the columns of `read` (a subset by name, after pruning). */
export const rowDecoder = (written: Schema, read: Schema): ((records: readonly Uint8Array[]) => Batch) => {
  const columns = read.fields.map((f) => {
    const index = columnIndex(written, f.name);
    if (index < 0) throw new FrameError(`a memory source's rows have no column ${f.name}`);
    return { index, step: nested(f.type, fromWire) };
  });
  return (records) =>
    batchFromRows(
      read,
      records.map((bytes) => {
        const row: unknown = packr.unpack(bytes);
        if (!Array.isArray(row) || row.length !== written.fields.length)
          throw new FrameError("a memory source's record is no row of its schema");
        return columns.map(({ index, step }) => step(row[index] as Value));
      }),
    );
};
