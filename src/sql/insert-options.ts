/** How an INSERT runs: `INSERT INTO t WITH (trigger 'availableNow', outputMode 'update', queryName 'q') SELECT …`; what is left goes to the sink. */
import { parseDuration } from "../core/duration.ts";
import { AnalysisError } from "../core/errors.ts";
import { PARTITIONS_MAX } from "../core/limits.ts";
import type { OutputMode } from "../connectors/sink.ts";
import type { Trigger } from "../runtime/trigger.ts";
import type { Options } from "./statement.ts";

export const OUTPUT_MODES: readonly OutputMode[] = ["append", "update", "complete"];

export interface InsertSettings {
  readonly outputMode: OutputMode;
  readonly trigger: Trigger;
  readonly queryName: string;
  readonly partitions: number | undefined;
  /** Options of the sink, over those of the table. */
  readonly options: Options;
}

const badTrigger = (text: string): AnalysisError =>
  new AnalysisError(`"${text}" is no trigger`, {
    hint: "one of default, availableNow, once, count 1000, processingTime 10 seconds",
  });

/** `default`, `availableNow`, `once`, `count 1000`, `processingTime 10 seconds` or the duration alone. Throws AnalysisError. */
export const parseTrigger = (text: string): Trigger => {
  const [word = "", ...rest] = text.trim().split(/[\s=:]+/);
  const argument = rest.join(" ");
  switch (word.toLowerCase()) {
    case "default":
    case "availablenow":
    case "once": {
      if (argument !== "") throw badTrigger(text);
      const kinds = { default: "default", availablenow: "availableNow", once: "once" } as const;
      return { kind: kinds[word.toLowerCase() as keyof typeof kinds] };
    }
    case "count": {
      const rows = Number(argument);
      if (argument === "" || !Number.isSafeInteger(rows) || rows < 1) throw badTrigger(text);
      return { kind: "count", rows };
    }
    default:
      return timeTrigger(word.toLowerCase() === "processingtime" ? argument : text.trim(), text);
  }
};

const timeTrigger = (duration: string, text: string): Trigger => {
  try {
    const intervalMs = parseDuration(duration);
    if (intervalMs >= 0) return { kind: "processingTime", intervalMs };
  } catch {
    // not a duration: the error below says what a trigger is
  }
  throw badTrigger(text);
};

const outputMode = (text: string): OutputMode => {
  const found = OUTPUT_MODES.find((m) => m === text.toLowerCase());
  if (found !== undefined) return found;
  throw new AnalysisError(`[STREAMING_OUTPUT_MODE.INVALID] Invalid streaming output mode: ${text}.`, {
    errorClass: "STREAMING_OUTPUT_MODE.INVALID",
    hint: `one of ${OUTPUT_MODES.join(", ")}`,
  });
};

const partitionsOf = (text: string): number => {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= PARTITIONS_MAX) return n;
  throw new AnalysisError(`partitions must be a whole number from 1 to ${PARTITIONS_MAX}, not ${text}`);
};

/** The options of an INSERT, with what SET says where it says nothing. */
export const insertSettings = (
  given: Options,
  table: string,
  setting: (key: string) => string | undefined,
): InsertSettings => {
  const own = new Map<string, string>();
  const options = Object.create(null) as Record<string, string>;
  for (const [key, value] of Object.entries(given)) {
    const lower = key.toLowerCase();
    if (lower === "checkpointlocation")
      throw new AnalysisError("a query's checkpoint is found by its name: there is no checkpointLocation", {
        hint: "give queryName, and --data or --nats at the command line",
      });
    if (["outputmode", "trigger", "queryname", "partitions"].includes(lower)) own.set(lower, value);
    else options[key] = value;
  }
  const partitions =
    own.get("partitions") ?? setting("millrace.partitions") ?? setting("spark.sql.shuffle.partitions");
  return {
    outputMode: outputMode(own.get("outputmode") ?? setting("millrace.outputMode") ?? "append"),
    trigger: parseTrigger(own.get("trigger") ?? setting("millrace.trigger") ?? "default"),
    queryName: own.get("queryname") ?? table,
    partitions: partitions === undefined ? undefined : partitionsOf(partitions),
    options,
  };
};
