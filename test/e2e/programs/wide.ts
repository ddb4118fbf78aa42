/** Makes its rows twice as wide: what fits into the input stream need not fit into the output's. */
import { concat, schema, session, t } from "millrace";

const mill = session({ name: "e2e" });
const rows = mill.readStream
  .format("nats")
  .option("stream", "IN_0")
  .schema(schema({ s: t.string }))
  .load();
await rows
  .select((c) => ({ s: concat(c.s, c.s) }))
  .writeStream.queryName("wide")
  .format("nats")
  .option("subject", process.env["WIDE_SUBJECT"] ?? "out.rows")
  .option("stream", "OUT")
  .start();
