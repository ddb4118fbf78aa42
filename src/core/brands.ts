/** Numbers that must not be swapped. A brand costs nothing at run time; make one with its function. */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Number of a micro-batch of a query, from 1 (0: before the first). Spark's batchId is `epoch - 1`. */
export type Epoch = Brand<number, "Epoch">;
/** Position of a record in a log, from 1, contiguous. */
export type Position = Brand<number, "Position">;
/** Index of a partition of a stage, from 0. */
export type PartitionIndex = Brand<number, "PartitionIndex">;
/** hash(key) mod 256. */
export type KeyGroup = Brand<number, "KeyGroup">;

export const epoch = (n: number): Epoch => n as Epoch;
export const position = (n: number): Position => n as Position;
export const partitionIndex = (n: number): PartitionIndex => n as PartitionIndex;
