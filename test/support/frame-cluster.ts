/**
 * Frames of the typed API on a test cluster: a session that runs nothing itself gives the plan, the cluster runs it with real actors, stores and virtual
 * time. State is in LevelDB, so that a test can ask what the disk holds.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Level } from "level";
import { session, type Session, schema, t } from "../../src/index.ts";
import type { InputRow } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import type { StartRequest } from "../../src/query/runtime.ts";
import type { StreamingQuery } from "../../src/query/streaming-query.ts";
import type { BackendChange, Range, StateBackend } from "../../src/state/backend.ts";
import { LevelBackend } from "../../src/state/level-backend.ts";
import { TestCluster, type TestClusterOptions } from "../../src/testing/cluster.ts";
import { removeTemporary, temporaryDirectory } from "./temporary.ts";

/** What the disk holds. */
export interface DiskUse {
  /** Bytes of the state's blobs, keys included, without the records that name them. */
  readonly blobs: number;
  /** Bytes of LevelDB's files after a compaction, and of those beside it. */
  readonly files: number;
}

/** Turns of the event loop in which nobody asks the disk for anything. */
const QUIET_TURNS = 100;

/** A LevelDB that can be closed, looked at and opened again below running actors. */
class MeasuredBackend implements StateBackend {
  readonly #directory: string;
  #inner: LevelBackend;

  /** Calls under way. */
  #calls = 0;

  constructor(directory: string, inner: LevelBackend) {
    this.#directory = directory;
    this.#inner = inner;
  }

  ranges(key: string, ranges: readonly Range[]): Promise<readonly Uint8Array[] | undefined> {
    return this.#call(this.#inner.ranges(key, ranges));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#call(this.#inner.get(key));
  }
  keys(prefix: string): Promise<readonly string[]> {
    return this.#call(this.#inner.keys(prefix));
  }
  write(changes: readonly BackendChange[]): Promise<void> {
    return this.#call(this.#inner.write(changes));
  }

  #call<T>(call: Promise<T>): Promise<T> {
    this.#calls++;
    return call.finally(() => this.#calls--);
  }

  /** A snapshot that is on its way reads the blobs of its epoch, and drops those that are of no use any more when it is done. */
  async #quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#calls > 0) turns = 0;
    }
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async measure(): Promise<DiskUse> {
    await this.#quiet();
    await this.#inner.close();
    const db = new Level<string, Uint8Array>(this.#directory, { valueEncoding: "view" });
    await db.open();
    let blobs = 0;
    for await (const [key, value] of db.iterator())
      if (key.includes("/b/")) blobs += key.length + value.length;
    // Of the implementation on disk; `level` has no type for it.
    await (db as unknown as { compactRange(from: string, to: string): Promise<void> }).compactRange(
      "",
      "\uffff",
    );
    await db.close();
    const bytes = (directory: string, names: readonly string[]): number =>
      names.reduce((sum, f) => sum + statSync(join(directory, f)).size, 0);
    const tables = readdirSync(this.#directory).filter((f) => f.endsWith(".ldb"));
    this.#inner = await LevelBackend.open(this.#directory);
    // Long blobs are files of their own.
    const long = join(this.#directory, "blobs");
    const inFiles = bytes(long, readdirSync(long));
    return { blobs: blobs + inFiles, files: bytes(this.#directory, tables) + inFiles };
  }
}

export const rowsSchema = schema({ k: t.string, v: t.long, ts: t.timestamp });

/** What `writeStream` gives. */
export interface Writer {
  handle(h: unknown): { format(f: string): { request(): StartRequest } };
}

/** One session, one cluster of one node, one query `q` into a memory sink. */
export class FrameCluster {
  readonly mill: Session = session({ name: "test" });
  readonly sink = new MemorySink();
  readonly cluster: TestCluster;
  #disk: MeasuredBackend | undefined;
  readonly #directory: string;

  constructor(options: TestClusterOptions = {}) {
    this.#directory = temporaryDirectory(undefined, "millrace-state-");
    this.cluster = new TestCluster({
      backend: async (node) => {
        const path = join(this.#directory, `${node}-${Math.random()}`);
        return (this.#disk = new MeasuredBackend(path, await LevelBackend.open(path)));
      },
      ...options,
    });
  }

  /** A fresh source of (k, v, ts) with a watermark, also a view of this name. */
  source(name: string, delay: `${number} second${"s" | ""}` = "10 seconds") {
    const handle = this.mill.memorySource(rowsSchema);
    const frame = this.mill.readStream.memory(handle).withWatermark("ts", delay);
    frame.createTempView(name);
    return { frame, add: (rows: readonly InputRow[]): Promise<void> => handle.addData(rows) };
  }

  /** Starts the query `q`: a frame's writer or a text of SQL, into the memory sink unless the writer has another. */
  start(query: Writer | string, change: Partial<StartRequest> = {}): Promise<StreamingQuery> {
    const writer =
      typeof query === "string" ? (this.mill.sql(query).writeStream as unknown as Writer) : query;
    return this.cluster.start({
      ...writer.handle(this.sink).format("memory").request(),
      name: "q",
      ...change,
    });
  }

  settle(): Promise<void> {
    return this.cluster.processAllAvailable("q");
  }

  async query(): Promise<StreamingQuery> {
    return this.cluster.query("q", this.cluster.running[0]);
  }

  /** A kill -9 and a start. */
  async crash(disk: "kept" | "lost" = "kept"): Promise<void> {
    await this.cluster.kill(0, disk);
    await this.cluster.restart(0);
  }

  /** Rows that the stateful operators hold now, in plan order. */
  async stateRows(): Promise<readonly number[]> {
    return (await this.query()).lastProgress!.stateOperators.map((o) => o.numRowsTotal);
  }

  disk(): Promise<DiskUse> {
    return this.#disk!.measure();
  }

  async close(): Promise<void> {
    await this.cluster.close();
    removeTemporary(this.#directory);
  }
}
