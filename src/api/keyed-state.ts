/** Arbitrary keyed state as the plan holds it: functions and processors with their settings. */
import { struct } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Expr } from "../expr/ast.ts";
import { nearest } from "../expr/suggestion.ts";
import type { Relation, StatefulFunction } from "../plan/relation.ts";
import type { FrameCore } from "./frame-core.ts";
import type { AnyFrame } from "./frame-types.ts";
import { kindOf, objectArgument, relationArgument, schemaArgument } from "./arguments.ts";
import { column } from "./expression-builder.ts";
import type { TypedSchema } from "./schema.ts";

/** Settings of (flat)mapGroupsWithState. */
export interface StateOptions {
  /** The output mode that the rows are made for. Default append; mapGroupsWithState: update. */
  readonly outputMode?: "append" | "update";
  /** Which clock timeouts go by. Default none. */
  readonly timeout?: "none" | "processingTime" | "eventTime";
  /** Columns of the state, which is an object then; without it any plain data is kept. */
  readonly state?: TypedSchema<unknown>;
  /** States that keys begin with: a batch frame with the key columns and the state's. */
  readonly initialState?: AnyFrame;
  /** The key columns of `initialState`; default: the names of the keys. */
  readonly initialKeys?: readonly string[];
  /** Name for explain and errors. */
  readonly name?: string;
}
/** Settings of transformWithState. */
export interface TransformOptions {
  readonly outputMode?: "append" | "update";
  /** What timers go by. Default none. */
  readonly timeMode?: "none" | "processingTime" | "eventTime";
  readonly initialState?: AnyFrame;
  readonly initialKeys?: readonly string[];
  readonly name?: string;
}

const TIMEOUTS = ["none", "processingTime", "eventTime"];
const MODES = ["append", "update"];

const oneOf = (what: string, given: unknown, known: readonly string[]): void => {
  const value = typeof given === "string" ? given : kindOf(given);
  if (!known.includes(value))
    throw new AnalysisError(`${what} is one of ${known.join(", ")}, not "${value}"`, {
      hint: `did you mean "${nearest(value, known)[0]}"?`,
    });
};

const NAMES = {
  mapGroups: "mapGroupsWithState",
  flatMapGroups: "flatMapGroupsWithState",
  transform: "transformWithState",
};

/** Throws AnalysisError for arguments that do not fit. */
export const keyedState = (
  input: FrameCore,
  keys: readonly Expr[],
  mode: StatefulFunction["mode"],
  output: Schema,
  apply: unknown,
  options: StateOptions & TransformOptions,
): Relation => {
  const verb = NAMES[mode];
  if (!Array.isArray((output as Partial<Schema> | undefined)?.fields) || typeof apply !== "function")
    throw new AnalysisError(`${verb} takes the schema of its rows and a function`);
  objectArgument(verb, "options as an object", options);
  const timeout = (mode === "transform" ? options.timeMode : options.timeout) ?? "none";
  const outputMode = options.outputMode ?? (mode === "mapGroups" ? "update" : "append");
  oneOf(`${verb}: ${mode === "transform" ? "timeMode" : "timeout"}`, timeout, TIMEOUTS);
  oneOf(`${verb}: outputMode`, outputMode, MODES);
  const initial =
    options.initialState === undefined
      ? undefined
      : relationArgument(`${verb}: initialState`, options.initialState);
  if (options.state !== undefined) schemaArgument(`${verb}: state`, options.state);
  const fn: StatefulFunction = {
    name: options.name ?? (apply.name === "" ? verb : apply.name),
    mode,
    outputMode,
    timeout,
    apply,
    output,
    stateType: options.state === undefined ? undefined : struct(options.state.fields),
    initial,
    ...(options.initialKeys === undefined ? {} : { initialKeys: options.initialKeys.map((k) => column(k)) }),
  };
  return { kind: "groupState", child: input.relation, keys, fn };
};
