/** The errors of logs, worded in one place for all implementations. */
import {
  ConfigurationError,
  LogConflictError,
  LogFullError,
  LogGapError,
  LogRecreatedError,
  RecordTooLargeError,
} from "../core/errors.ts";

export const conflict = (log: string, expected: number, last: number | undefined): LogConflictError =>
  new LogConflictError(
    `Log ${log}: expected the last position ${expected}, it is ${last ?? "another one"}: somebody else appended`,
  );

export const full = (log: string, maxBytes: number | undefined): LogFullError =>
  new LogFullError(
    `Log ${log} is full: its size limit max_bytes${maxBytes === undefined ? "" : ` of ${maxBytes} bytes`} is reached`,
  );

export const gap = (log: string, wanted: number, first: number, last: number): LogGapError =>
  new LogGapError(
    wanted > last + 1
      ? `Log ${log} ends at position ${last}; position ${wanted} was expected next: acknowledged records are lost`
      : `Log ${log} holds no position ${wanted} any more, its first is ${first}`,
  );

export const recreated = (log: string, created: string, now: string | undefined): LogRecreatedError =>
  new LogRecreatedError(
    now === undefined
      ? `Log ${log} (created ${created}) was deleted`
      : `Log ${log} (created ${created}) was deleted and created again (${now}): its positions mean something else`,
  );

export const tooLarge = (log: string, bytes: number, max: number): RecordTooLargeError =>
  new RecordTooLargeError(
    `A record of ${bytes} bytes for ${log} is above the limit max_payload of ${max} bytes`,
  );

export const badPosition = (log: string, n: number): ConfigurationError =>
  new ConfigurationError(`Log ${log}: ${n} is no position; they are integers from 1`);
