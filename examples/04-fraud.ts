/**
 * Fraud alerts from payments, with state of its own per customer: the balance, and the places where the customer has been. Two rules: a large
 * withdrawal that leaves little, and a withdrawal in a place never visited before.
 *
 * Without a server the alerts are printed. With one they go to a subject, exactly once:
 *
 *     npx millrace run examples/04-fraud.ts --nats nats://127.0.0.1:4222
 */
import {
  schema,
  session,
  t,
  type MapState,
  type StatefulProcessor,
  type StatefulProcessorHandle,
  type ValueState,
} from "millrace";

const mill = session({ name: "fraud" });

interface Payment {
  readonly customer: string;
  readonly kind: string;
  readonly amount: number;
  readonly place: string;
  readonly at: Date;
}
interface Alert {
  readonly customer: string;
  readonly at: Date;
  readonly reason: string;
  readonly amount: number;
  readonly balance: number;
  readonly place: string;
}

const LARGE = 250;
const LOW = 100;

class Account implements StatefulProcessor<{ readonly customer: string }, Payment, Alert> {
  #balance!: ValueState<number>;
  #places!: MapState<string, number>;

  init(handle: StatefulProcessorHandle): void {
    this.#balance = handle.getValueState<number>("balance", t.long.type);
    this.#places = handle.getMapState<string, number>("places", t.string.type, t.long.type);
  }

  *handleInputRows(
    { customer }: { readonly customer: string },
    payments: Iterable<Payment>,
  ): Iterable<Alert> {
    const inOrder = [...payments].sort((a, b) => a.at.getTime() - b.at.getTime());
    for (const { kind, amount, place, at } of inOrder) {
      const balance = (this.#balance.getOption() ?? 0) + (kind === "deposit" ? amount : -amount);
      this.#balance.update(balance);
      const known = this.#places.containsKey(place);
      const first = !this.#places.exists();
      this.#places.updateValue(place, (this.#places.getValue(place) ?? 0) + 1);
      if (kind === "deposit") continue;
      if (amount >= LARGE && balance < LOW)
        yield { customer, at, reason: "large withdrawal, low balance", amount, balance, place };
      if (!known && !first)
        yield { customer, at, reason: "a place never visited before", amount, balance, place };
    }
  }
}

const payments = mill.readStream
  .schema(schema({ customer: t.string, kind: t.string, amount: t.long, place: t.string, at: t.timestamp }))
  .json(new URL("data/payments.ndjson", import.meta.url).pathname);

const alerts = payments.groupBy("customer").transformWithState(
  schema({
    customer: t.string,
    at: t.timestamp,
    reason: t.string,
    amount: t.long,
    balance: t.long,
    place: t.string,
  }),
  () => new Account(),
);

const writer = alerts.writeStream.queryName("fraud-alerts").trigger({ availableNow: true });
const onBroker = process.env["MILLRACE_NATS"] !== undefined || process.env["NATS_URL"] !== undefined;
const query = await (
  onBroker
    ? writer.format("nats").option("subject", "alerts.fraud").option("createStream", true)
    : writer.foreachBatch(async (rows) => {
        if (!(await rows.isEmpty())) await rows.orderBy("at", "reason").show(20, false);
      })
).start();

await query.awaitTermination();
