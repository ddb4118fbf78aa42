/**
 * The hot loops of the JSON decoder: one column of parsed objects into its buffer, one loop per type. A value that is not of the usual form is
 * left alone and its row marked `slow`: the decoder converts such rows again with the full rules (`conversion.ts`).
 */
import type { ColumnBuffer } from "./column-buffer.ts";
import { dateOfText, timestampNtzOfText, timestampOfText } from "./time-text.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Fills rows 0 … objects.length - 1; `slow` collects rows to convert again. */
export type Fill = (
  objects: readonly JsonObject[],
  key: string,
  column: ColumnBuffer,
  slow: Uint8Array,
) => void;

const fillBoolean: Fill = (objects, key, column, slow) => {
  const { bools, nulls } = column;
  for (let i = 0; i < objects.length; i++) {
    const x = objects[i]![key];
    if (x === true) bools[i] = 1;
    else if (x === null || x === undefined) nulls[i] = 1;
    else if (x !== false) slow[i] = 1;
  }
};

const fillInteger =
  (limit: number): Fill =>
  (objects, key, column, slow) => {
    const { ints, nulls } = column;
    for (let i = 0; i < objects.length; i++) {
      const x = objects[i]![key];
      if (typeof x === "number" && x === (x | 0) && x >= -limit && x < limit) ints[i] = x;
      else if (x === null || x === undefined) nulls[i] = 1;
      else slow[i] = 1;
    }
  };

const fillLong: Fill = (objects, key, column, slow) => {
  const { doubles, nulls } = column;
  for (let i = 0; i < objects.length; i++) {
    const x = objects[i]![key];
    if (typeof x === "number" && Number.isSafeInteger(x)) doubles[i] = x + 0;
    else if (x === null || x === undefined) nulls[i] = 1;
    else slow[i] = 1;
  }
};

const fillDouble: Fill = (objects, key, column, slow) => {
  const { doubles, nulls } = column;
  for (let i = 0; i < objects.length; i++) {
    const x = objects[i]![key];
    if (typeof x === "number") doubles[i] = x;
    else if (x === null || x === undefined) nulls[i] = 1;
    else slow[i] = 1;
  }
};

const fillFloat: Fill = (objects, key, column, slow) => {
  fillDouble(objects, key, column, slow);
  const { doubles } = column;
  for (let i = 0; i < objects.length; i++) doubles[i] = Math.fround(doubles[i]!);
};

const fillString: Fill = (objects, key, column, slow) => {
  const { ints, nulls } = column;
  for (let i = 0; i < objects.length; i++) {
    const x = objects[i]![key];
    if (typeof x === "string") ints[i] = column.idOf(x);
    else if (x === null || x === undefined) nulls[i] = 1;
    else slow[i] = 1;
  }
};

const fillTimestamp =
  (read: (text: string) => number): Fill =>
  (objects, key, column, slow) => {
    const { doubles, nulls } = column;
    for (let i = 0; i < objects.length; i++) {
      const x = objects[i]![key];
      if (typeof x === "number" && x - x === 0) doubles[i] = x + 0;
      else if (typeof x === "string") {
        const ms = read(x);
        if (ms === ms) doubles[i] = ms;
        else slow[i] = 1;
      } else if (x === null || x === undefined) nulls[i] = 1;
      else slow[i] = 1;
    }
  };

const fillDate: Fill = (objects, key, column, slow) => {
  const { ints, nulls } = column;
  for (let i = 0; i < objects.length; i++) {
    const x = objects[i]![key];
    const days = typeof x === "string" ? dateOfText(x) : NaN;
    if (days === days) ints[i] = days;
    else if (x === null || x === undefined) nulls[i] = 1;
    else slow[i] = 1;
  }
};

/** Types without a loop of their own (decimal, binary, nested, …): rows that have a value are converted one by one. */
const fillOther: Fill = (objects, key, column, slow) => {
  const { nulls } = column;
  for (let i = 0; i < objects.length; i++) {
    const x = objects[i]![key];
    if (x === null || x === undefined) nulls[i] = 1;
    else slow[i] = 1;
  }
};

/** The loop of a column's type. */
export const fillOf = (column: ColumnBuffer, timeZone: string): Fill => {
  switch (column.type.kind) {
    case "boolean":
      return fillBoolean;
    case "byte":
      return fillInteger(128);
    case "short":
      return fillInteger(32_768);
    case "int":
      return fillInteger(2_147_483_648);
    case "long":
      return fillLong;
    case "float":
      return fillFloat;
    case "double":
      return fillDouble;
    case "string":
      return fillString;
    case "timestamp":
      return fillTimestamp((text) => timestampOfText(text, timeZone));
    case "timestamp_ntz":
      return fillTimestamp(timestampNtzOfText);
    case "date":
      return fillDate;
    default:
      return fillOther;
  }
};

/** For names that every object inherits (`constructor`, `__proto__`): the same objects with own properties only. */
export const ownOnly = (objects: readonly JsonObject[], key: string): JsonObject[] =>
  objects.map((o) => {
    const own = Object.create(null) as Record<string, unknown>;
    if (Object.hasOwn(o, key)) own[key] = o[key];
    return own;
  });
