/** Every source and sink by format, one line each. */
import { ConfigurationError } from "../core/errors.ts";
import { consoleSinkFactory } from "./console-sink.ts";
import { fileSinkFactories } from "./file-sink.ts";
import { fileSourceFactories } from "./file-source.ts";
import { foreachBatchSinkFactory, foreachSinkFactory } from "./function-sink.ts";
import { memorySinkFactory } from "./memory-sink.ts";
import { memorySourceFactory } from "./memory-source.ts";
import { natsSinkFactory } from "./nats-sink.ts";
import { natsSourceFactory } from "./nats-source.ts";
import { noopSinkFactory } from "./noop-sink.ts";
import { nearestName } from "./options.ts";
import { rateSourceFactory } from "./rate-source.ts";
import type { SinkFactory } from "./sink.ts";
import type { SourceFactory } from "./source.ts";

const SOURCES: readonly SourceFactory[] = [
  memorySourceFactory,
  rateSourceFactory,
  natsSourceFactory,
  ...fileSourceFactories,
];
const SINKS: readonly SinkFactory[] = [
  memorySinkFactory,
  natsSinkFactory,
  consoleSinkFactory,
  noopSinkFactory,
  foreachBatchSinkFactory,
  foreachSinkFactory,
  ...fileSinkFactories,
];

const find = <T extends { readonly format: string }>(what: string, all: readonly T[], format: string): T => {
  const found = all.find((f) => f.format.toLowerCase() === format.toLowerCase());
  if (found !== undefined) return found;
  const formats = all.map((f) => f.format);
  const near = nearestName(format, formats);
  throw new ConfigurationError(
    `unknown ${what} format "${format}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    { hint: `known formats: ${formats.join(", ")}` },
  );
};

export const sourceFactory = (format: string): SourceFactory => find("source", SOURCES, format);
export const sinkFactory = (format: string): SinkFactory => find("sink", SINKS, format);

/** Every source and sink once: for the documentation. */
export const sourceFactories = (): readonly SourceFactory[] => SOURCES;
export const sinkFactories = (): readonly SinkFactory[] => SINKS;
