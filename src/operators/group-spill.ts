/**
 * Groups beyond memory: an aggregate table that takes more than its share of the node's state memory (`stateMemory`) keeps groups on disk.
 *
 * The disk has parts (src/state/parts.ts, part-file.ts): immutable, one per key group. At the end of an epoch, after its results are out and before its
 * changes are drained, a table that is too large takes key groups in which it holds most, merges what it holds of each with its part into a new part, and
 * forgets these groups; it goes on until it is well below its share. So what is written is the state once per memory filled, whatever the order of the keys.
 * A batch whose keys are not in memory asks the parts first: a Bloom filter answers for nearly all new keys, for the others one small block a key is read,
 * before any row of the batch is added. Per row there is only plain code; a table without parts asks nothing.
 *
 * What comes out does not depend on what is where (law 2): a group's state is read before it is added to, never merged later; groups that close come by
 * time, then in the order in which they came in, and that order is saved with them.
 *
 * Consistency (law 6): parts are written before the commit that names them (D1), hold the state at the end of the epoch under way, and are never changed. A
 * crash leaves the old record with the old parts. Between parts, blobs hold what changed since, as without parts; so a commit and a snapshot cost what
 * changed plus the parts rewritten. A restart reads the parts' indexes and the blobs: rows come when they are asked for.
 *
 * Closed groups: parts stand by time, so what a watermark closes is read from their fronts; what is behind it is dead, and goes with the next rewrite.
 *
 * Invariants.
 *  V1 a group is in memory with IN_PART exactly when its key group's part has a row of its key that counts or that it replaced; without MODIFIED that row is equal.
 *  V2 a part's `live` is its rows with time > closed less those that groups with MODIFIED replace.
 *  V3 once a table has parts, every group has an order; orders grow with arrival and survive.
 */
import { crc32 } from "../core/crc32.ts";
import { StateCorruptError } from "../core/errors.ts";
import { packPlain, unpack } from "../codec/msgpack.ts";
import { findRow, PartIndex, rangesOf, rowsOf, type PartRow, type ReadRanges } from "../state/part-file.ts";
import type { PartInfo, PartSpace } from "../state/parts.ts";
import { readAhead } from "../state/read-ahead.ts";
import type { TableSpill, TableStats } from "../state/table.ts";
import type { Value } from "../core/value.ts";
import { KEY_GROUPS } from "../core/hash.ts";
import { grown, IdList, sortByOrder } from "./group-ids.ts";
import { mergedPart, NO_BYTES, type Part, type Rewrite } from "./group-part.ts";
import { isClean, IN_PART, type SpillHost } from "./spill-host.ts";

/** A table that was too large is brought down to this part of its share. */
const RELIEVED = 0.7;
const INTERNED_BYTES = 100;

type Wanted = Map<number, number[]>;

export class GroupSpill implements TableSpill {
  readonly #host: SpillHost;
  readonly #parts = new Map<number, Part>();
  #space: PartSpace | undefined;
  #limited = false;
  /** By group (V3). */
  #orders: Float64Array | undefined;
  #next = 0;
  /** Of what is loaded now. */
  #shift: number | undefined = 0;
  #closed = -Infinity;
  /** Groups with IN_PART and without MODIFIED. */
  #clean = 0;
  wantsBase = false;

  constructor(host: SpillHost) {
    this.#host = host;
  }

  attach(space: PartSpace, limited: boolean): void {
    this.#space = space;
    this.#limited = limited;
  }

  close(): void {
    this.#space?.close();
  }

  /** Whether groups may be on disk. */
  get active(): boolean {
    return this.#parts.size > 0;
  }

  get orders(): Float64Array | undefined {
    return this.#orders;
  }

  get rows(): number {
    let rows = 0;
    for (const p of this.#parts.values()) rows += p.live;
    return rows;
  }

  /** Of the table with those `resident` in memory. */
  stats(resident: TableStats): TableStats {
    const spilledRows = this.rows - this.#clean;
    const bytes = this.#host.bytes() + this.#partBytes();
    let spilledBytes = 0;
    for (const p of this.#parts.values()) spilledBytes += p.info.bytes;
    return { rows: resident.rows + spilledRows, bytes, spilledRows, spilledBytes };
  }

  // The table tells what happens to its groups.

  placed(group: number): void {
    if (this.#orders !== undefined) this.#orders[group] = this.#next++;
  }

  grow(groups: number): void {
    if (this.#orders !== undefined) this.#orders = grown(new Float64Array(groups), this.#orders);
  }

  /** A clean group changes. */
  modified(group: number): void {
    this.#clean--;
    const part = this.#parts.get(this.#host.columns.keyGroup(group));
    if (part !== undefined) part.live--;
  }

  /** Closed groups go. */
  released(groups: Int32Array): void {
    if (this.#clean === 0) return;
    const flags = this.#host.flags();
    for (const g of groups) if (isClean(flags[g]!)) this.modified(g);
  }

  /** By (time, order), in place: V3. */
  sort(groups: Int32Array): Int32Array {
    const orders = this.#orders;
    if (orders === undefined) return groups;
    const { columns, closingPart } = this.#host;
    if (closingPart < 0) return sortByOrder(groups, orders);
    const times = columns.parts[closingPart]!;
    return groups.sort((a, b) =>
      times[a] === times[b] ? orders[a]! - orders[b]! : times[a]! < times[b]! ? -1 : 1,
    );
  }

  /** Those of the groups that a base must hold. */
  forBase(groups: Int32Array): Int32Array {
    this.wantsBase = false;
    const flags = this.#host.flags();
    return this.#clean === 0 ? groups : groups.filter((g) => !isClean(flags[g]!));
  }

  // Loading.

  nextOrigin(): void {
    this.#shift = undefined;
  }

  /** Every group gets an order (V3). */
  enterOrders(): void {
    if (this.#orders !== undefined) return;
    const groups = this.#host.ordered();
    this.#orders = new Float64Array(this.#host.flags().length);
    groups.forEach((g, i) => (this.#orders![g] = i));
    this.#next = groups.length;
  }

  #originShift(): number {
    this.enterOrders();
    return (this.#shift ??= this.#next);
  }

  /** The order of a group out of a blob. */
  loadedOrder(group: number, order: number): void {
    const own = order + this.#originShift();
    this.#orders![group] = own;
    this.#next = Math.max(this.#next, own + 1);
  }

  closedThrough(limit: number): void {
    this.#closed = Math.max(this.#closed, limit);
  }

  /** Whether a row of a blob of the epoch is older than its key group's part (D3). */
  supersedes(keyGroup: number, epoch: number): boolean {
    const part = this.#parts.get(keyGroup);
    return part !== undefined && epoch <= part.info.epoch;
  }

  async addPart(info: PartInfo, bytes?: Uint8Array): Promise<void> {
    const read = bytes === undefined ? this.#space!.reader(info) : rangesOf(bytes);
    const index = await PartIndex.read(info.bytes, read);
    const { live, closed, shift: before, ...blob } = info;
    const shift = before + this.#originShift();
    this.#next = Math.max(this.#next, shift + index.orderMax + 1);
    this.closedThrough(closed ?? -Infinity);
    const part: Part = { info: blob, index, shift, live };
    this.#parts.set(info.part, part);
    if (bytes !== undefined) await this.#bring(part, Infinity, read);
  }

  /** All is loaded. Without a limit everything is to be in memory. */
  async loaded(): Promise<void> {
    this.#shift = 0;
    if (!this.#limited) await this.#bringAll(Infinity);
  }

  parts(): readonly PartInfo[] {
    const closed = this.#closed === -Infinity ? null : this.#closed;
    for (const [k, p] of this.#parts)
      if (this.#host.closingPart >= 0 && p.index.timeMax <= this.#closed) this.#parts.delete(k);
    return [...this.#parts].map(([part, { info, live, shift }]) => ({ ...info, part, live, closed, shift }));
  }

  // Reading.

  /** Brings in the groups of the first `n` rows of scratch that only the disk has; undefined when there is nothing to wait for. */
  fetch(n: number): Promise<void> | undefined {
    const { columns, closingPart, find } = this.#host;
    const rows = this.#host.scratch(n);
    let wanted: Map<Part, Wanted> | undefined;
    for (let i = 0; i < n; i++) {
      if (find(i) >= 0) continue;
      const part = this.#parts.get(columns.keyGroupAt(i, rows));
      if (part === undefined) continue;
      const time = closingPart < 0 ? 0 : rows[closingPart]![i]!;
      const hash = columns.hash(i, rows);
      if (time <= this.#closed || !part.index.mayHave(hash)) continue;
      const block = part.index.blockOf(time, hash);
      if (block < 0) continue;
      wanted ??= new Map();
      let blocks = wanted.get(part);
      if (blocks === undefined) wanted.set(part, (blocks = new Map()));
      const there = blocks.get(block);
      if (there === undefined) blocks.set(block, [i]);
      else there.push(i);
    }
    return wanted && this.#guarded(() => this.#fetch(wanted));
  }

  async #fetch(wanted: Map<Part, Wanted>): Promise<void> {
    const { columns, closingPart, find } = this.#host;
    for (const [part, blocks] of wanted) {
      const numbers = [...blocks.keys()].sort((a, b) => a - b);
      const found = await part.index.readBlocks(numbers, this.#space!.reader(part.info));
      const rows = this.#host.scratch(1);
      for (const [k, block] of numbers.entries())
        for (const i of blocks.get(block)!) {
          if (find(i) >= 0) continue;
          const time = closingPart < 0 ? 0 : rows[closingPart]![i]!;
          const row = findRow(found[k]!, columns.hash(i, rows), time, packPlain(columns.values(i, rows)));
          if (row !== undefined) this.#place(i, row, part);
        }
    }
  }

  #place(i: number, row: PartRow, part: Part): void {
    const { accumulators, flags, place } = this.#host;
    const g = place(i);
    this.#orders![g] = row.order + part.shift;
    flags()[g]! |= IN_PART;
    this.#clean++;
    if (accumulators.length === 0) return;
    const states = unpack(row.state) as Value[];
    accumulators.forEach((a, c) => a.load(g, states[c]!));
  }

  /** Brings in all groups with a time up to the limit: they are about to be closed. Undefined when there are none on disk. */
  fetchThrough(limit: number): Promise<void> | undefined {
    if (this.#host.closingPart < 0 || limit <= this.#closed || !this.active) return undefined;
    const before = this.#closed;
    const due = [...this.#parts.values()].some((p) => p.index.timeMin <= limit && p.index.timeMax > before);
    if (due) return this.#guarded(() => this.#bringAll(limit)).then(() => this.closedThrough(limit));
    this.closedThrough(limit);
    return undefined;
  }

  async #bringAll(limit: number): Promise<void> {
    for (const part of this.#parts.values()) await this.#bring(part, limit, this.#space!.reader(part.info));
  }

  async #bring(part: Part, limit: number, read: ReadRanges): Promise<void> {
    const { columns, find } = this.#host;
    const scratch = this.#host.scratch(1);
    const [from, to] = part.index.blocksThrough(this.#closed, limit);
    for (let b = from; b < to; b += BLOCKS_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(BLOCKS_AT_ONCE, to - b) }, (_, k) => b + k);
      for (const block of await part.index.readBlocks(numbers, read))
        for (const row of rowsOf(block)) {
          if (row.time > limit || row.time <= this.#closed) continue;
          (unpack(row.key) as Value[]).forEach((v, key) => columns.encode(key, v, 0, scratch));
          if (find(0) < 0) this.#place(0, row, part);
        }
    }
  }

  /** What is damaged is not kept: the next start takes the snapshot. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (e) {
      if (e instanceof StateCorruptError) await this.#space!.damaged();
      throw e;
    }
  }

  // Writing.

  /** Moves groups to disk when the table is larger than its share. At the end of epoch `epoch`, with its results out. */
  relieve(epoch: number): Promise<void> | undefined {
    if (!this.#limited || this.#host.bytes() + this.#partBytes() <= this.#space!.share) return undefined;
    return this.#guarded(() => this.#relieve(epoch));
  }

  #partBytes(): number {
    let bytes = 0;
    for (const p of this.#parts.values()) bytes += p.index.bytes;
    for (const k of this.#host.columns.keys) bytes += k.internedCount * INTERNED_BYTES;
    return bytes;
  }

  async #relieve(epoch: number): Promise<void> {
    this.wantsBase ||= this.#orders === undefined;
    this.enterOrders();
    const resident = this.#host.resident();
    const byPart = this.#byPart(resident);
    const largest = [...byPart.keys()].sort((a, b) => byPart[b]!.length - byPart[a]!.length || a - b);
    const perRow = (this.#host.bytes() + this.#partBytes()) / Math.max(1, resident.length);
    const most = (this.#space!.share * RELIEVED) / perRow;
    const gone = new IdList();
    const flags = this.#host.flags();
    const rewritten: Rewrite[] = [];
    for (const k of largest) {
      const groups = byPart[k]!;
      if (resident.length - gone.length <= most || groups.length === 0) break;
      const changed = groups.filter((g) => !isClean(flags[g]!));
      const old = this.#parts.get(k);
      if (changed.length > 0) rewritten.push({ k, groups: changed, old, bytes: old?.info.bytes ?? 0 });
      for (const g of groups) gone.push(g);
    }
    await this.#rewrite(rewritten, epoch);
    const groups = gone.ids();
    for (const g of groups) if (isClean(flags[g]!)) this.#clean--;
    this.#host.evict(groups);
  }

  /** One part is being read and one written while another is made. */
  async #rewrite(rewritten: readonly Rewrite[], epoch: number): Promise<void> {
    let written = Promise.resolve();
    const read = async ({ k, old }: Rewrite): Promise<Uint8Array> => {
      const bytes = old === undefined ? NO_BYTES : await this.#space!.whole(old.info);
      if (old !== undefined && crc32(bytes) !== old.info.crc)
        throw new StateCorruptError(`the part of key group ${k} is damaged`);
      return bytes;
    };
    try {
      for await (const [r, bytes] of readAhead(rewritten, PARTS_AHEAD_BYTES, read)) {
        const whole = mergedPart(this.#host, r, bytes, this.#orders!, this.#closed);
        await written;
        written = this.#write(r.k, whole, epoch);
        // Seen when the next one is made, or at the end.
        written.catch(() => {});
      }
    } finally {
      await written;
    }
  }

  /** Groups by key group, each in their order; views of one array. */
  #byPart(groups: Int32Array): readonly Int32Array[] {
    const { columns } = this.#host;
    const ends = new Int32Array(KEY_GROUPS + 1);
    for (const g of groups) ends[columns.keyGroup(g) + 1]!++;
    for (let k = 0; k < KEY_GROUPS; k++) ends[k + 1]! += ends[k]!;
    const next = ends.slice();
    const sorted = new Int32Array(groups.length);
    for (const g of groups) sorted[next[columns.keyGroup(g)]!++] = g;
    return Array.from({ length: KEY_GROUPS }, (_, k) => sorted.subarray(ends[k], ends[k + 1]));
  }

  async #write(keyGroup: number, whole: Uint8Array, epoch: number): Promise<void> {
    const info = await this.#space!.write(keyGroup, epoch, whole);
    const index = await PartIndex.read(whole.length, rangesOf(whole));
    this.#parts.set(keyGroup, { info, index, shift: 0, live: index.rows });
  }
}

/** Blocks read at once where many are. */
const BLOCKS_AT_ONCE = 64;
const PARTS_AHEAD_BYTES = 4 * 1024 * 1024;
