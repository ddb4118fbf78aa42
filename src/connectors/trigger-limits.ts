/** How much of a source's input an epoch takes: Spark's rate options, one reading for all sources. */
import { ConfigurationError } from "../core/errors.ts";
import { OptionValues } from "./options.ts";
import type { Options } from "./source.ts";

export const LIMIT_OPTIONS = ["maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay"] as const;
const MAX_TRIGGER_DELAY_MS = 15 * 60_000;

export interface TriggerLimits {
  /** Offsets (messages, rows, files) of one epoch at most. */
  readonly maxOffsets: number | undefined;
  /** An epoch waits until this many wait … */
  readonly minOffsets: number | undefined;
  /** … or this long after the one before. */
  readonly maxTriggerDelayMs: number;
}

/** The limits in a source's options, whatever its format; `maxFilesPerTrigger` counts as offsets. Throws on bad values. */
export const triggerLimits = (options: Options): TriggerLimits => {
  const names = [...LIMIT_OPTIONS, "maxFilesPerTrigger"];
  const mine = Object.fromEntries(
    Object.entries(options).filter(([name]) => names.some((n) => n.toLowerCase() === name.toLowerCase())),
  );
  const values = new OptionValues("source", mine, names);
  const maxOffsets =
    values.integer("maxOffsetsPerTrigger", { min: 1 }) ?? values.integer("maxFilesPerTrigger", { min: 1 });
  const minOffsets = values.integer("minOffsetsPerTrigger", { min: 1 });
  if (maxOffsets !== undefined && minOffsets !== undefined && minOffsets > maxOffsets)
    throw new ConfigurationError(
      `option "minOffsetsPerTrigger" (${minOffsets}) is above "maxOffsetsPerTrigger" (${maxOffsets})`,
    );
  const maxTriggerDelayMs = values.duration("maxTriggerDelay") ?? MAX_TRIGGER_DELAY_MS;
  return { maxOffsets, minOffsets, maxTriggerDelayMs };
};
