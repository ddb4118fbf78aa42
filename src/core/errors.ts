/**
 * Every error class of Millrace, each with the decision it asks of the supervisor:
 *  `retry`   the operation may succeed as it is (broker away, file busy): with backoff, the actor lives on;
 *  `restart` the actor's memory is not to be trusted: restart it from its store;
 *  `fail`    no restart can help: the query fails with this cause.
 * `errorClass` is Spark's error class where Spark has one (`DIVIDE_BY_ZERO`), so that users find it in one place.
 */
export type Decision = "retry" | "restart" | "fail";

export interface ErrorDetail {
  readonly errorClass?: string;
  readonly cause?: unknown;
  /** Where in a SQL text, 1-based. */
  readonly position?: { readonly line: number; readonly column: number };
  readonly hint?: string;
}

export class MillraceError extends Error {
  readonly decision: Decision = "fail";
  readonly errorClass: string | undefined;
  readonly position: ErrorDetail["position"];
  readonly hint: string | undefined;
  /** Set once by the loop: which operator of which actor, at which source position. */
  where: string | undefined;
  constructor(message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.errorClass = detail.errorClass;
    this.position = detail.position;
    this.hint = detail.hint;
  }
}

/** The query is wrong: found before anything starts. */
export class AnalysisError extends MillraceError {}
/** SQL text that does not parse (Spark: PARSE_SYNTAX_ERROR). */
export class ParseError extends AnalysisError {}
/** A row could not be computed: cast, overflow, division by zero, a user function that threw. */
export class ExecutionError extends MillraceError {
  /** The row, as short text, where one row is to blame. */
  row: string | undefined;
}
/** A long outside ±2^53 handed to user code as a number. */
export class UnsafeIntegerError extends ExecutionError {}
/** Bytes that are not a frame: truncated, corrupt, or of an unknown version. */
export class FrameError extends MillraceError {
  override readonly decision: Decision = "restart";
}
/** A replay emitted another number of rows than before (law 3): a user function is not deterministic. */
export class NondeterministicReplayError extends MillraceError {}
/** Compare-and-set refused: somebody else appended first (law 9). */
export class LogConflictError extends MillraceError {
  override readonly decision: Decision = "restart";
}
/** The log does not hold the position any more, or positions jump (law 7). */
export class LogGapError extends MillraceError {
  override readonly decision: Decision = "restart";
}
/** The stream was deleted and created again: its positions mean something else (law 1). */
export class LogRecreatedError extends MillraceError {}
/** The log is at its size limit; the message names the limit. */
export class LogFullError extends MillraceError {
  override readonly decision: Decision = "retry";
}
/** A record above the broker's `max_payload`. */
export class RecordTooLargeError extends MillraceError {}
/** The broker is away or does not answer. */
export class UnavailableError extends MillraceError {
  override readonly decision: Decision = "retry";
}
/** Credentials or permissions refused: no retry. */
export class AuthorizationError extends MillraceError {}
/** A state blob, snapshot or manifest that fails its checksum or has another schema. */
export class StateCorruptError extends MillraceError {
  override readonly decision: Decision = "restart";
}
/** The checkpoint belongs to another plan; the message names the difference. */
export class PlanMismatchError extends MillraceError {}
/** The local disk refuses writes (full, read only). */
export class StorageError extends MillraceError {}
/** The data directory belongs to a live process. */
export class DataDirectoryInUseError extends MillraceError {}
/** Offsets that the source no longer holds (`failOnDataLoss`). */
export class DataLossError extends MillraceError {}
/** An actor's lease ended, or is late: it must stop writing at once. No fault of the actor, so it counts against no limit of restarts. */
export class FencedError extends MillraceError {
  override readonly decision: Decision = "retry";
}
/** Wrong options or settings; exit code 2 at the command line. */
export class ConfigurationError extends MillraceError {}

/** The decision for any thrown thing: unknown errors restart the actor. */
export const decisionOf = (e: unknown): Decision => (e instanceof MillraceError ? e.decision : "restart");
