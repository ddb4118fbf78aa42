/** The one place that configures msgpackr: plain msgpack, no records, no shared structures (another process can read it). */
import { Packr } from "msgpackr";

const packr = new Packr({ useRecords: false, int64AsType: "bigint", mapsAsObjects: true, moreTypes: false });

export const pack = (value: unknown): Uint8Array => packr.pack(value);
export const unpack = (bytes: Uint8Array): unknown => packr.unpack(bytes);
