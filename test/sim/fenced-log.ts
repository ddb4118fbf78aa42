/**
 * A sink into a shared log with the fence of law 11: rows carry (epoch, row); what is there is scanned first, every append expects the position of that scan,
 * one at a time; when refused, or when the outcome is unknown, it scans again. A zombie and its successor may both be at it.
 */
import { rowsOf } from "../../src/core/batch.ts";
import { position } from "../../src/core/brands.ts";
import { LogConflictError, UnavailableError } from "../../src/core/errors.ts";
import { pack, unpack } from "../../src/codec/msgpack.ts";
import type { BatchFunction } from "../../src/connectors/function-sink.ts";
import type { Log, LogStore } from "../../src/log/log.ts";

type Written = readonly [epoch: number, row: number, values: readonly unknown[]];

const LOG = "test.out.rows";

const scan = async (log: Log): Promise<{ last: number; rows: Written[] }> => {
  const { last } = await log.bounds();
  const rows: Written[] = [];
  const reader = log.reader(position(1));
  while (rows.length < last) for (const r of await reader.next()) rows.push(unpack(r.payload) as Written);
  reader.close();
  return { last: rows.length, rows };
};

/** A function for `foreachBatch`. */
export const fencedLog =
  (store: () => LogStore): BatchFunction =>
  async (batches, { epoch }) => {
    const rows = batches.flatMap((b) => rowsOf(b));
    const log = await store().open(LOG);
    for (;;) {
      const found = await scan(log);
      // Rows of a later epoch mean that this one is complete: a zombie must not write over it.
      if (found.rows.some(([e]) => e > epoch)) return;
      let at = found.last;
      try {
        for (let i = found.rows.filter(([e]) => e === epoch).length; i < rows.length; i++)
          at = await log.append(pack([epoch, i, rows[i]]), { expectLast: position(at) });
        return;
      } catch (e) {
        if (!(e instanceof LogConflictError || e instanceof UnavailableError)) throw e;
      }
    }
  };

/** Rows in the log, by epoch. */
export const writtenRows = async (
  store: LogStore,
): Promise<readonly (readonly [epoch: number, rows: readonly (readonly unknown[])[]])[]> => {
  const { rows } = await scan(await store.open(LOG));
  const epochs = new Map<number, (readonly unknown[])[]>();
  for (const [epoch, , values] of rows) {
    const of = epochs.get(epoch) ?? [];
    of.push(values);
    epochs.set(epoch, of);
  }
  return [...epochs];
};
