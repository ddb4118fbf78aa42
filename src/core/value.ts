/**
 * Values as the engine holds them outside typed arrays (in rows of the interpreter, nested values, state, literals).
 *
 *  | type                          | value                                                                      |
 *  |-------------------------------|----------------------------------------------------------------------------|
 *  | any, when null                | `null` (never `undefined`)                                                 |
 *  | boolean                       | boolean                                                                    |
 *  | byte short int                | number (integer)                                                           |
 *  | long                          | number while within ±(2^53 - 1), else bigint: canonical, one form per value|
 *  | float double                  | number (a float is already rounded by Math.fround)                         |
 *  | decimal(p,s)                  | bigint: the unscaled value at the type's scale                             |
 *  | string                        | string                                                                     |
 *  | binary                        | Uint8Array                                                                 |
 *  | timestamp, timestamp_ntz      | number: milliseconds since the epoch UTC (ntz: of the local fields read as |
 *  |                               | UTC); a fraction carries microseconds                                      |
 *  | date                          | number: days since 1970-01-01                                              |
 *  | dayTimeInterval               | number: microseconds (integer)                                             |
 *  | yearMonthInterval             | number: months                                                             |
 *  | calendarInterval              | [months, days, microseconds]                                               |
 *  | array                         | readonly Value[]                                                           |
 *  | map                           | readonly (readonly [key, value])[] in insertion order, keys unique         |
 *  | struct                        | readonly Value[] in field order                                            |
 *  | variant                       | VariantValue (src/expr/variant.ts)                                         |
 *
 * All of them are plain msgpack. What user code sees (Date, objects by name, Map) is made at the API's edge only.
 */
export type Value =
  null | boolean | number | bigint | string | Uint8Array | readonly Value[] | { readonly variant: unknown };

export type Row = readonly Value[];

/** The canonical `long` of an integer: number while safe, else bigint. */
export const canonicalLong = (x: bigint): number | bigint =>
  x >= -9007199254740991n && x <= 9007199254740991n ? Number(x) : x;
