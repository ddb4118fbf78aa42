/**
 * Nexmark q6 by transformWithState: a seller's average price over the last ten auctions that closed with a bid, a row for each that closes. As in Beam's
 * model the average is rounded; auctions of a seller count in the order in which they close, those of the same moment by id.
 */
import { field, LONG, TIMESTAMP } from "../../core/data-type.ts";
import { schemaOf } from "../../core/schema.ts";
import type { MapState, ValueState } from "../../operators/state-variables.ts";
import type {
  ExpiredTimerInfo,
  StatefulProcessor,
  StatefulProcessorHandle,
  TimerValues,
} from "../../operators/transform-with-state.ts";
import type { Relation } from "../../plan/relation.ts";

const LAST = 10;

interface Seller {
  readonly seller: number;
}

/** A bid that came while its auction was open. */
interface BidInTime extends Seller {
  readonly id: number;
  readonly price: number;
  readonly bidTime: Date;
  readonly expires: Date;
}

interface Average extends Seller {
  readonly id: number;
  readonly average: number;
  readonly closed: Date;
}

/** The best bid so far: highest price, then earliest. */
interface Best {
  readonly price: number;
  readonly at: number;
  readonly expires: number;
}

const isBetter = (a: Best, b: Best): boolean => a.price > b.price || (a.price === b.price && a.at < b.at);

class ClosedAuctions implements StatefulProcessor<Seller, BidInTime, Average> {
  #handle!: StatefulProcessorHandle;
  #open!: MapState<number, Best>;
  #prices!: ValueState<number[]>;

  init(handle: StatefulProcessorHandle): void {
    this.#handle = handle;
    this.#open = handle.getMapState<number, Best>("open", LONG);
    this.#prices = handle.getValueState<number[]>("prices");
  }

  handleInputRows(_seller: Seller, bids: Iterable<BidInTime>): void {
    for (const { id, price, bidTime, expires } of bids) {
      const best = this.#open.getValue(id);
      const bid: Best = { price, at: bidTime.getTime(), expires: expires.getTime() };
      if (best !== undefined && !isBetter(bid, best)) continue;
      this.#open.updateValue(id, bid);
      if (best === undefined) this.#handle.registerTimer(bid.expires);
    }
  }

  *handleExpiredTimer({ seller }: Seller, _: TimerValues, expired: ExpiredTimerInfo): Iterable<Average> {
    const now = expired.getExpiryTimeInMs();
    const closed = [...this.#open.iterator()].filter(([, best]) => best.expires <= now);
    for (const [id, best] of closed.sort(([a], [b]) => a - b)) {
      this.#open.removeKey(id);
      const prices = [...(this.#prices.getOption() ?? []), best.price].slice(-LAST);
      this.#prices.update(prices);
      const average = Math.round(prices.reduce((sum, p) => sum + p, 0) / prices.length);
      yield { seller, id, average, closed: new Date(best.expires) };
    }
  }
}

/** Over rows of `BidInTime`. */
export const averageOfClosed = (child: Relation): Relation => ({
  kind: "groupState",
  child,
  keys: [{ kind: "column", parts: ["seller"] }],
  fn: {
    name: "closedAuctions",
    mode: "transform",
    outputMode: "append",
    timeout: "eventTime",
    apply: () => new ClosedAuctions(),
    output: schemaOf([
      field("seller", LONG),
      field("id", LONG),
      field("average", LONG),
      field("closed", TIMESTAMP),
    ]),
    stateType: undefined,
    initial: undefined,
  },
});
