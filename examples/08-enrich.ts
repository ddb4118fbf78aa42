/** Orders, a stream, enriched with a price list, a table: a left join keeps the orders of products that the list does not know. */
import { coalesce, lit, schema, session, t } from "millrace";

const mill = session({ name: "enrich" });

const orders = mill.readStream
  .schema(schema({ order: t.long, product: t.string, quantity: t.int, at: t.timestamp }))
  .json(new URL("data/orders.ndjson", import.meta.url).pathname);

const products = mill.read
  .option("header", true)
  .schema(schema({ product: t.string, name: t.string, price: t.decimal(10, 2) }))
  .csv(new URL("data/products.csv", import.meta.url).pathname);

const priced = orders.join(products, "product", "left").select((c) => ({
  order: c.order,
  name: coalesce(c.name, lit("(unknown)")),
  total: c.price.mul(c.quantity),
}));

const query = await priced.writeStream
  .queryName("priced-orders")
  .trigger({ availableNow: true })
  .foreachBatch(async (rows) => {
    if (!(await rows.isEmpty())) await rows.orderBy("order").show();
  })
  .start();

await query.awaitTermination();
