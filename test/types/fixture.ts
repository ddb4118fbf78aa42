/** Frames that the type tests ask about, and what they ask with. */
import { type DataFrame, schema, session, t } from "../../src/index.ts";

export const mill = session({ name: "types" });
export const bidColumns = schema({
  auction: t.long,
  bidder: t.long,
  price: t.long,
  channel: t.string,
  url: t.string.nullable(),
  ts: t.timestamp,
  meta: t.struct({ ip: t.string, geo: t.struct({ lat: t.double, lon: t.double.nullable() }) }),
  tags: t.array(t.string),
  props: t.map(t.string, t.long),
});
export const bids = mill.readStream.format("nats").option("stream", "BIDS").schema(bidColumns).load();
export const auctions = mill.readStream
  .format("nats")
  .option("stream", "AUCTIONS")
  .schema(schema({ id: t.long, seller: t.long, category: t.int.nullable(), expires: t.timestamp }))
  .load();
export const numbers = mill.createDataFrame(
  [],
  schema({
    i: t.int,
    l: t.long,
    b: t.bigint,
    f: t.float,
    d: t.double,
    dec: t.decimal(10, 2),
    n: t.int.nullable(),
    flag: t.boolean,
    day: t.date,
    s: t.string,
  }),
);
export const labels = mill.createDataFrame([], schema({ auction: t.long, label: t.string }));

/** The columns of a frame. */
export type S<D> = D extends DataFrame<infer X, infer _F> ? X : never;
/** The type of one column. */
export type C<D, K extends keyof S<D>> = S<D>[K];
/** Exactly the same type. */
export type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** Compiles for `true` only. */
export const is = <_T extends true>(): void => {};
