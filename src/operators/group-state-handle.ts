/** What a (flat)mapGroupsWithState function gets: Spark's GroupState by its names. One object a call. */
import { ExecutionError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import type { StateCodec } from "./user-state.ts";

export type GroupTimeout = "none" | "processingTime" | "eventTime";

interface Call {
  readonly stored: { readonly value: Value } | undefined;
  readonly codec: StateCodec;
  readonly timeout: GroupTimeout;
  readonly hasTimedOut: boolean;
  readonly watermarkMs: number;
  readonly clockMs: number;
}

const refuse = (message: string): never => {
  throw new ExecutionError(message, { errorClass: "INVALID_GROUP_STATE_OPERATION" });
};

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/** Milliseconds of "10 seconds", "1 hour 30 minutes", or a number of ms. */
const durationMs = (duration: number | string): number => {
  if (typeof duration === "number") return duration;
  let ms = 0;
  const rest = duration.replaceAll(/(\d+)\s*([a-z]+?)s?(?=\s|$)/gi, (all, n: string, unit: string) => {
    const unitMs = UNIT_MS[unit.toLowerCase()];
    if (unitMs === undefined) return all;
    ms += Number(n) * unitMs;
    return "";
  });
  return rest.trim() === "" && duration.trim() !== "" ? ms : refuse(`"${duration}" is not a duration`);
};

export class GroupState<S = unknown> {
  readonly #call: Call;
  #value: { readonly value: Value } | undefined;
  #timeoutMs: number | null = null;

  constructor(call: Call) {
    this.#call = call;
    this.#value = call.stored;
  }

  /** Whether the key has a state. */
  get exists(): boolean {
    return this.#value !== undefined;
  }

  /** True when the function is called because the timeout passed; there are no rows then. */
  get hasTimedOut(): boolean {
    return this.#call.hasTimedOut;
  }

  /** The state, a copy. Throws ExecutionError when there is none. */
  get(): S {
    if (this.#value === undefined) return refuse("the state is not defined or has been removed");
    return this.#call.codec.decode(this.#value.value) as S;
  }

  /** The state, or undefined. */
  getOption(): S | undefined {
    return this.#value === undefined ? undefined : this.get();
  }

  update(state: S): void {
    if (state === null || state === undefined) refuse("the state cannot be null: remove() it instead");
    this.#value = { value: this.#call.codec.encode(state) };
  }

  remove(): void {
    this.#value = undefined;
  }

  /** Processing time: the timeout fires in the first epoch whose clock is beyond now + `duration` (ms, or "10 seconds"). */
  setTimeoutDuration(duration: number | string): void {
    if (this.#call.timeout !== "processingTime")
      refuse("setTimeoutDuration() needs the processing-time timeout");
    const ms = durationMs(duration);
    if (!(ms > 0)) refuse("the timeout's duration must be positive");
    this.#timeoutMs = this.#call.clockMs + ms;
  }

  /** Event time: the timeout fires in the first epoch whose watermark is beyond `timestamp` (ms or Date) + `additional`. */
  setTimeoutTimestamp(timestamp: number | Date, additional: number | string = 0): void {
    if (this.#call.timeout !== "eventTime") refuse("setTimeoutTimestamp() needs the event-time timeout");
    const at = (typeof timestamp === "number" ? timestamp : timestamp.getTime()) + durationMs(additional);
    if (!(at > 0)) refuse("the timeout's timestamp must be positive");
    if (at < this.#call.watermarkMs)
      refuse(`the timeout's timestamp ${at} is before the current watermark ${this.#call.watermarkMs}`);
    this.#timeoutMs = at;
  }

  getCurrentWatermarkMs(): number {
    return this.#call.watermarkMs;
  }

  getCurrentProcessingTimeMs(): number {
    return this.#call.clockMs;
  }

  /** What the call left behind; for the operator. */
  outcome(): { readonly value: { readonly value: Value } | undefined; readonly timeoutMs: number | null } {
    return { value: this.#value, timeoutMs: this.#timeoutMs };
  }
}
