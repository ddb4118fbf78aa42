/**
 * What of a query's rows a subject holds: every message of an exactly-once sink names its query, partition, epoch and rows.
 *
 * S1 A message is the sink's own when query name, query id and partition match; a query started again under a new id (a new checkpoint) begins anew. S2 Rows of an
 *    epoch stand in order without a hole wherever the fence checks the subject's own last sequence; with predicted sequences somebody else's
 *    message may have made one, so that there rows are looked up one by one.
 */
import type { NatsAccess, NatsRecord } from "../log/nats-access.ts";

/** The one header of a row: `<query>/<query id>/<partition>/<epoch>/<row>`, then `/<rows>` when the message holds several. */
export const ROW_HEADER = "Mr-Row";

/** Who writes: `<query>/<query id>/<partition>/`, what the header begins with. */
export type SinkIdentity = string;

export const identityOf = (queryName: string, queryId: string, partition: number): SinkIdentity =>
  `${queryName}/${queryId}/${partition}/`;

/** Which rows a message of our own holds. */
export interface RowMark {
  readonly epoch: number;
  /** Number of the first row in (query, partition, epoch), from 0. */
  readonly row: number;
  readonly rows: number;
}

/** The header of a row that is a message of its own, but for the row's number. */
export const labelOf = (who: SinkIdentity, epoch: number): string => `${who}${epoch}/`;

export const headerOf = (who: SinkIdentity, epoch: number, row: number, rows: number): string =>
  rows === 1 ? `${who}${epoch}/${row}` : `${who}${epoch}/${row}/${rows}`;

export const markOf = (record: NatsRecord, who: SinkIdentity): RowMark | undefined => {
  const value = record.headers?.find(([name]) => name === ROW_HEADER)?.[1];
  if (value === undefined || !value.startsWith(who)) return undefined;
  const [epoch, row, rows = 1] = value.slice(who.length).split("/").map(Number);
  return epoch === undefined || row === undefined ? undefined : { epoch, row, rows };
};

/** What is stored: every row of epochs before `epoch`, its rows below `rows`, and the single rows in `beyond`. */
export class StoredRows {
  epoch = 0;
  rows = 0;
  /** First rows of messages of `epoch` that lie behind a hole. */
  readonly beyond = new Set<number>();

  add(mark: RowMark): void {
    if (mark.epoch < this.epoch) return;
    if (mark.epoch > this.epoch) {
      this.epoch = mark.epoch;
      this.rows = 0;
      this.beyond.clear();
    }
    if (mark.row <= this.rows) this.rows = Math.max(this.rows, mark.row + mark.rows);
    else this.beyond.add(mark.row);
  }

  /** Everything up to the mark is known to be there. */
  upTo(mark: RowMark): void {
    if (mark.epoch < this.epoch || (mark.epoch === this.epoch && mark.row + mark.rows <= this.rows)) return;
    this.epoch = mark.epoch;
    this.rows = mark.row + mark.rows;
    this.beyond.clear();
  }

  has(epoch: number, row: number): boolean {
    if (epoch !== this.epoch) return epoch < this.epoch;
    return row < this.rows || this.beyond.has(row);
  }
}

/** Reads the subject's messages in [from, end) and tells of each: the rows of our own, undefined for somebody else's. */
export const scan = async (
  access: NatsAccess,
  target: { readonly stream: string; readonly subject: string; readonly who: SinkIdentity },
  from: number,
  end: number,
  tell: (mark: RowMark | undefined) => void,
): Promise<void> => {
  if (from >= end) return;
  const reader = access.reader(target.stream, { from, to: end, filter: target.subject, onGap: "skip" });
  try {
    for (;;) {
      const records = await reader.next();
      if (records.length === 0) return;
      for (const record of records) tell(markOf(record, target.who));
    }
  } finally {
    reader.close();
  }
};
