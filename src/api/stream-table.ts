/** Tables of the catalog as targets of streams, and what may be written as a stream. */
import { AnalysisError } from "../core/errors.ts";
import { nearest } from "../expr/suggestion.ts";
import type { Catalog } from "../plan/catalog.ts";
import type { SinkSpec } from "../connectors/sink.ts";
import { sinkOfTarget } from "../sql/session-insert.ts";
import type { FrameCore } from "./frame-core.ts";

/** False for a frame that is known to be static. A frame that does not analyse is refused by start(), with the analyser's error. */
export const isWritable = (frame: FrameCore): boolean => {
  try {
    return frame.isStreaming;
  } catch (e) {
    if (e instanceof AnalysisError) return true;
    throw e;
  }
};

/** The sink of a table, as CREATE TABLE declared it. */
export const tableSink = (catalog: Catalog, name: string): SinkSpec => {
  const entry = catalog.table(name.split("."));
  if (entry === undefined || entry.kind !== "table") {
    const near = nearest(name, catalog.tableNames())[0];
    throw new AnalysisError(`[TABLE_OR_VIEW_NOT_FOUND] The table \`${name}\` cannot be found.`, {
      errorClass: "TABLE_OR_VIEW_NOT_FOUND",
      hint: `declare it with CREATE TABLE ${name} USING … first${near === undefined ? "" : `; did you mean "${near}"?`}`,
    });
  }
  if (entry.target === undefined)
    throw new AnalysisError(`the table \`${name}\` cannot be written to: its connector is no sink`);
  return sinkOfTarget(entry.target, name);
};
