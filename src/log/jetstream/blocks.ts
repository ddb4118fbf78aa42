/**
 * Delivered messages where they arrived: a block is the received bytes and where its messages stand in them, in typed arrays. No object and no copy per message; a
 * record is made for who asks.
 */
import type { NatsBlock, NatsRecord } from "../nats-access.ts";
import type { Frame } from "./inbound.ts";
import { type Delivery, FrameRecord } from "./records.ts";

/** What a reader gathers until somebody takes it. */
export interface Collector<T> {
  readonly empty: boolean;
  add(f: Frame, d: Delivery): void;
  /** What was gathered; begins anew. */
  take(): T;
}

/** Numbers kept of a message. */
const STRIDE = 7;
const [DATA_TO, SUBJECT_FROM, SUBJECT_TO, HEADERS_FROM, TIME_FROM, TIME_TO] = [1, 2, 3, 4, 5, 6];
/** Room at first, at most: for as many messages as the bytes hold if all are as long as the first. */
const MESSAGES_FIRST_MAX = 1024;

class FrameBlock implements NatsBlock {
  readonly stream: string;
  readonly bytes: Buffer;
  length = 0;
  #places: Int32Array;
  #sequences: Float64Array;

  constructor(stream: string, bytes: Buffer, first: Frame) {
    this.stream = stream;
    this.bytes = bytes;
    const each = Math.max(1, first.dataTo - first.subjectFrom);
    const room = 1 + Math.min(MESSAGES_FIRST_MAX, Math.floor((bytes.length - first.subjectFrom) / each));
    this.#places = new Int32Array(room * STRIDE);
    this.#sequences = new Float64Array(room);
  }

  add(f: Frame, d: Delivery): void {
    const i = this.length++;
    if (i === this.#sequences.length) this.#grow();
    const p = this.#places;
    const at = i * STRIDE;
    p[at] = f.dataFrom;
    p[at + DATA_TO] = f.dataTo;
    p[at + SUBJECT_FROM] = f.subjectFrom;
    p[at + SUBJECT_TO] = f.subjectTo;
    p[at + HEADERS_FROM] = f.headersFrom;
    p[at + TIME_FROM] = d.timeFrom;
    p[at + TIME_TO] = d.timeTo;
    this.#sequences[i] = d.sequence;
  }

  #grow(): void {
    const places = new Int32Array(this.#places.length * 2);
    places.set(this.#places);
    this.#places = places;
    const sequences = new Float64Array(this.#sequences.length * 2);
    sequences.set(this.#sequences);
    this.#sequences = sequences;
  }

  sequence(i: number): number {
    return this.#sequences[i]!;
  }

  from(i: number): number {
    return this.#places[i * STRIDE]!;
  }

  to(i: number): number {
    return this.#places[i * STRIDE + DATA_TO]!;
  }

  record(i: number): NatsRecord {
    const at = i * STRIDE;
    const p = this.#places;
    const places = {
      bytes: this.bytes,
      subjectFrom: p[at + SUBJECT_FROM]!,
      subjectTo: p[at + SUBJECT_TO]!,
      headersFrom: p[at + HEADERS_FROM]!,
      dataFrom: p[at]!,
      dataTo: p[at + DATA_TO]!,
    };
    const delivery = { sequence: this.sequence(i), timeFrom: p[at + TIME_FROM]!, timeTo: p[at + TIME_TO]! };
    return new FrameRecord(this.stream, places, delivery);
  }
}

export class BlockCollector implements Collector<readonly NatsBlock[]> {
  readonly #stream: string;
  #blocks: FrameBlock[] = [];
  #last: FrameBlock | undefined;

  constructor(stream: string) {
    this.#stream = stream;
  }

  get empty(): boolean {
    return this.#last === undefined;
  }

  add(f: Frame, d: Delivery): void {
    let block = this.#last;
    if (block === undefined || block.bytes !== f.bytes) {
      block = this.#last = new FrameBlock(this.#stream, f.bytes, f);
      this.#blocks.push(block);
    }
    block.add(f, d);
  }

  take(): readonly NatsBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#last = undefined;
    return blocks;
  }
}

/** A value for each message. */
export class ListCollector<R> implements Collector<readonly R[]> {
  readonly #convert: (f: Frame, d: Delivery) => R;
  #list: R[] = [];

  constructor(convert: (f: Frame, d: Delivery) => R) {
    this.#convert = convert;
  }

  get empty(): boolean {
    return this.#list.length === 0;
  }

  add(f: Frame, d: Delivery): void {
    this.#list.push(this.#convert(f, d));
  }

  take(): readonly R[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }
}
