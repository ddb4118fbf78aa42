/**
 * The Nexmark event generator, byte for byte that of reference/nexmark.md section 2 (Apache Beam's, with channel and url): a line of JSON an event,
 * written straight into a buffer.
 *
 * N1 an event is a function of its number and the options: any range can be made alone, in any order.
 * N2 draws come in the order of section 2.4; a new draw goes behind all others of its event.
 */
import { drawLink, linkFields } from "./links.ts";
import { JavaRandom } from "./random.ts";

export interface NexmarkOptions {
  /** Microseconds of event time between two events. */
  readonly delayUs: number;
  /** Events of one group come shuffled; 1: in order. */
  readonly group: number;
  /** Whether bids have a channel and a url. Default true. */
  readonly links?: boolean;
}

/** 2015-07-15T00:00:00Z, in milliseconds. */
export const BASE_TIME_MS = 1_436_918_400_000;
/** More than the longest line. */
export const LINE_BYTES_MAX = 2_048;

const FIRST_ID = 1000;
const FIRST_CATEGORY = 10;
/** Persons, auctions and bids of each 50 events: 1, 3 and 46. */
const PER_EPOCH = 50;
const PERSONS = 1;
const AUCTIONS = 3;
const ACTIVE_PEOPLE = 1000;
const IN_FLIGHT = 100;
const LEAD = 10;
const HOT_BLOCK = 100;
/** Events until an auction is over, on average. */
const HORIZON_EVENTS = Math.floor((IN_FLIGHT * PER_EPOCH) / AUCTIONS);

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const STATES = ["AZ", "CA", "ID", "OR", "WA", "WY"].map(ascii);
const CITIES = "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne"
  .split(",")
  .map(ascii);
const FIRST_NAMES = "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter".split(",").map(ascii);
const LAST_NAMES = "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris".split(",").map(ascii);

const KEYS = {
  person: ascii('{"person":{"id":'),
  name: ascii(',"name":"'),
  email: ascii('","emailAddress":"'),
  com: ascii('.com","creditCard":"'),
  city: ascii('","city":"'),
  state: ascii('","state":"'),
  personTime: ascii('","dateTime":'),
  auction: ascii('{"auction":{"id":'),
  itemName: ascii(',"itemName":"'),
  description: ascii('","description":"'),
  initialBid: ascii('","initialBid":'),
  reserve: ascii(',"reserve":'),
  time: ascii(',"dateTime":'),
  expires: ascii(',"expires":'),
  seller: ascii(',"seller":'),
  category: ascii(',"category":'),
  bid: ascii('{"bid":{"auction":'),
  bidder: ascii(',"bidder":'),
  price: ascii(',"price":'),
  extra: ascii(',"extra":"'),
  end: ascii('"}}\n'),
};

const SPACE = 32;
const QUOTE_ESCAPED = 92;
const COMMA = 44;
const A = 97;

const lastPerson = (id: number): number => Math.floor(id / PER_EPOCH);

const lastAuction = (id: number): number => {
  const epoch = Math.floor(id / PER_EPOCH);
  const offset = id % PER_EPOCH;
  if (offset < PERSONS) return (epoch - 1) * AUCTIONS + AUCTIONS - 1;
  return epoch * AUCTIONS + Math.min(offset - PERSONS, AUCTIONS - 1);
};

export class NexmarkGenerator {
  readonly #delayUs: number;
  readonly #group: number;
  readonly #links: readonly Uint8Array[] | undefined;
  readonly #random = new JavaRandom();
  readonly #digits = new Uint8Array(20);
  #into: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(options: NexmarkOptions) {
    this.#delayUs = options.delayUs;
    this.#group = options.group;
    this.#links = options.links === false ? undefined : linkFields();
  }

  #adjusted(n: number): number {
    const g = this.#group;
    return Math.floor(n / g) * g + ((n * 953) % g);
  }

  /** Event time of the adjusted number. */
  #time(adjusted: number): number {
    return BASE_TIME_MS + Math.floor((adjusted * this.#delayUs) / 1000);
  }

  /** Writes event `n` (from 0) at `at`, LINE_BYTES_MAX of room assumed; gives the position behind its line end. */
  write(n: number, into: Uint8Array, at: number): number {
    this.#into = into;
    this.#at = at;
    const id = this.#adjusted(n);
    this.#random.seed(id);
    const kind = id % PER_EPOCH;
    if (kind < PERSONS) this.#person(id);
    else if (kind < PERSONS + AUCTIONS) this.#auction(id);
    else this.#bid(id);
    this.#bytes(KEYS.end);
    return this.#at;
  }

  #bytes(bytes: Uint8Array): void {
    const into = this.#into;
    let at = this.#at;
    for (let i = 0; i < bytes.length; i++) into[at++] = bytes[i]!;
    this.#at = at;
  }

  #number(x: number): void {
    const digits = this.#digits;
    let n = 0;
    do {
      const rest = Math.floor(x / 10);
      digits[n++] = 48 + (x - rest * 10);
      x = rest;
    } while (x > 0);
    while (n > 0) this.#into[this.#at++] = digits[--n]!;
  }

  #draw(from: readonly Uint8Array[]): Uint8Array {
    return from[this.#random.below(from.length)]!;
  }

  /** nextString: letters and spaces, without spaces at its ends. Gives its length. */
  #string(max: number): number {
    const random = this.#random;
    const into = this.#into;
    const start = this.#at;
    let length = 3 + random.below(max - 3);
    for (let i = 0; i < length; i++) into[start + i] = random.below(13) === 0 ? SPACE : A + random.below(26);
    while (length > 0 && into[start + length - 1] === SPACE) length--;
    let blank = 0;
    while (blank < length && into[start + blank] === SPACE) blank++;
    if (blank > 0) into.copyWithin(start, start + blank, start + length);
    this.#at = start + length - blank;
    return length - blank;
  }

  /** The filler that brings an event near its average size: letters and `H`…`` ` `` of a signed remainder, backslashes escaped. */
  #extra(current: number, average: number): void {
    this.#bytes(KEYS.extra);
    if (current > average) return;
    const random = this.#random;
    const into = this.#into;
    const desired = average - current;
    const delta = Math.round(desired * 0.2);
    const length = desired - delta + (delta === 0 ? 0 : random.below(2 * delta));
    let at = this.#at;
    let bits = 0;
    for (let i = 0; i < length; i++) {
      if (i % 6 === 0) bits = random.int32();
      const c = A + (bits % 26);
      bits = (bits / 26) | 0;
      if (c === QUOTE_ESCAPED) into[at++] = QUOTE_ESCAPED;
      into[at++] = c;
    }
    this.#at = at;
  }

  #price(): number {
    return Math.round(Math.pow(10, this.#random.double() * 6) * 100);
  }

  #nextPerson(id: number): number {
    const people = lastPerson(id) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return people - active + this.#random.below(active + LEAD);
  }

  #nextAuction(id: number): number {
    const max = lastAuction(id);
    const min = Math.max(max - IN_FLIGHT, 0);
    return min + this.#random.below(max - min + 1 + LEAD);
  }

  #person(id: number): void {
    const random = this.#random;
    this.#bytes(KEYS.person);
    this.#number(lastPerson(id) + FIRST_ID);
    this.#bytes(KEYS.name);
    const start = this.#at;
    this.#bytes(this.#draw(FIRST_NAMES));
    this.#into[this.#at++] = SPACE;
    this.#bytes(this.#draw(LAST_NAMES));
    let size = 8 + this.#at - start;
    this.#bytes(KEYS.email);
    size += this.#string(7) + "@.com".length;
    this.#into[this.#at++] = 64;
    size += this.#string(5);
    this.#bytes(KEYS.com);
    for (let k = 0; k < 4; k++) {
      if (k > 0) this.#into[this.#at++] = SPACE;
      const four = random.below(10000);
      for (let unit = 1000; unit >= 1; unit /= 10)
        this.#into[this.#at++] = 48 + (Math.floor(four / unit) % 10);
    }
    const city = this.#draw(CITIES);
    const state = this.#draw(STATES);
    size += 19 + city.length + state.length;
    this.#bytes(KEYS.city);
    this.#bytes(city);
    this.#bytes(KEYS.state);
    this.#bytes(state);
    this.#bytes(KEYS.personTime);
    this.#number(this.#time(id));
    this.#extra(size, 200);
  }

  #auction(id: number): void {
    const random = this.#random;
    this.#bytes(KEYS.auction);
    this.#number(lastAuction(id) + FIRST_ID);
    const time = this.#time(id);
    const hot = random.below(4) > 0;
    const seller = hot ? Math.floor(lastPerson(id) / HOT_BLOCK) * HOT_BLOCK : this.#nextPerson(id);
    const category = FIRST_CATEGORY + random.below(5);
    const initialBid = this.#price();
    const horizonMs = this.#time(id + HORIZON_EVENTS) - time;
    const expires = time + 1 + random.below(Math.max(horizonMs * 2, 1));
    this.#bytes(KEYS.itemName);
    let size = 8 + this.#string(20);
    this.#bytes(KEYS.description);
    size += this.#string(100) + 40;
    this.#bytes(KEYS.initialBid);
    this.#number(initialBid);
    this.#bytes(KEYS.reserve);
    this.#number(initialBid + this.#price());
    this.#bytes(KEYS.time);
    this.#number(time);
    this.#bytes(KEYS.expires);
    this.#number(expires);
    this.#bytes(KEYS.seller);
    this.#number(seller + FIRST_ID);
    this.#bytes(KEYS.category);
    this.#number(category);
    this.#extra(size, 500);
  }

  #bid(id: number): void {
    const random = this.#random;
    const hotAuction = random.below(2) > 0;
    const auction = hotAuction ? Math.floor(lastAuction(id) / HOT_BLOCK) * HOT_BLOCK : this.#nextAuction(id);
    const hotBidder = random.below(4) > 0;
    const bidder = hotBidder ? Math.floor(lastPerson(id) / HOT_BLOCK) * HOT_BLOCK + 1 : this.#nextPerson(id);
    const price = this.#price();
    this.#bytes(KEYS.bid);
    this.#number(auction + FIRST_ID);
    this.#bytes(KEYS.bidder);
    this.#number(bidder + FIRST_ID);
    this.#bytes(KEYS.price);
    this.#number(price);
    if (this.#links === undefined) {
      this.#bytes(KEYS.time);
      this.#number(this.#time(id));
      this.#extra(32, 100);
      return;
    }
    this.#bidWithLink(id, this.#links);
  }

  /** The link is drawn after `extra` (N2) and stands before it: `extra` is written first and moved. */
  #bidWithLink(id: number, links: readonly Uint8Array[]): void {
    const gap = this.#at;
    this.#bytes(KEYS.time);
    this.#number(this.#time(id));
    this.#extra(32, 100);
    const link = links[drawLink(this.#random)]!;
    const room = 1 + link.length;
    this.#into.copyWithin(gap + room, gap, this.#at);
    const end = this.#at + room;
    this.#into[gap] = COMMA;
    this.#at = gap + 1;
    this.#bytes(link);
    this.#at = end;
  }
}
