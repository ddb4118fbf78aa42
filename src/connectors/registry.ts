/** Every source and sink by format, one line each. */
import { ConfigurationError } from "../core/errors.ts";
import type { SinkFactory } from "./sink.ts";
import type { SourceFactory } from "./source.ts";

const SOURCES: readonly SourceFactory[] = [];
const SINKS: readonly SinkFactory[] = [];

export const sourceFactory = (format: string): SourceFactory => {
  const found = SOURCES.find((s) => s.format === format);
  if (found === undefined)
    throw new ConfigurationError(
      `unknown source format "${format}"; known: ${SOURCES.map((s) => s.format).join(", ")}`,
    );
  return found;
};

export const sinkFactory = (format: string): SinkFactory => {
  const found = SINKS.find((s) => s.format === format);
  if (found === undefined)
    throw new ConfigurationError(
      `unknown sink format "${format}"; known: ${SINKS.map((s) => s.format).join(", ")}`,
    );
  return found;
};
