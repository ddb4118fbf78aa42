/**
 * Messages between the process that hosts the embedded log and the processes that share it: four bytes of length, then a
 * msgpack array.
 *
 *   request   [id, operation, …arguments]            answer   [id, error or null, result]
 *   bus       ["sub" | "unsub" | "bus", subject, payload?] in both directions, without an answer
 */
import type { Socket } from "node:net";
import { packPlain, unpack } from "../codec/msgpack.ts";
import * as errors from "../core/errors.ts";

/** A record on the wire. */
export type WireRecord = readonly [position: number, payload: Uint8Array, headers: [string, string][] | null];

/** Far above a read batch with one large record; a longer message is not ours. */
const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;

export const writeMessage = (socket: Socket, message: readonly unknown[]): void => {
  if (socket.destroyed) return;
  const body = packPlain(message);
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE(body.length);
  socket.cork();
  socket.write(head);
  socket.write(body);
  process.nextTick(() => socket.uncork());
};

/** Calls `handler` for each message; a malformed stream destroys the socket. */
export const readMessages = (socket: Socket, handler: (message: readonly unknown[]) => void): void => {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = 4;
  const consume = (): void => {
    while (have >= need) {
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      const length = all.readUInt32BE(0);
      if (length > MESSAGE_BYTES_MAX) return void socket.destroy(new Error("not a log message"));
      need = 4 + length;
      chunks = [all];
      if (have < need) return;
      handler(unpack(all.subarray(4, need)) as readonly unknown[]);
      chunks = have === need ? [] : [all.subarray(need)];
      have -= need;
      need = 4;
    }
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    have += chunk.length;
    try {
      consume();
    } catch (e) {
      socket.destroy(e as Error);
    }
  });
};

type ErrorClass = new (message: string, detail?: errors.ErrorDetail) => errors.MillraceError;

/** Errors that a log may answer with, by name. */
const CLASSES: ReadonlyMap<string, ErrorClass> = new Map(
  [
    errors.LogConflictError,
    errors.LogGapError,
    errors.LogRecreatedError,
    errors.LogFullError,
    errors.RecordTooLargeError,
    errors.UnavailableError,
    errors.AuthorizationError,
    errors.StorageError,
    errors.ConfigurationError,
  ].map((c) => [c.name, c]),
);

export const encodeError = (e: unknown): readonly (string | null)[] => {
  const known = e instanceof errors.MillraceError ? e : undefined;
  return [
    known?.name ?? "UnavailableError",
    e instanceof Error ? e.message : String(e),
    known?.errorClass ?? null,
    known?.hint ?? null,
  ];
};

export const decodeError = (wire: readonly (string | null)[]): errors.MillraceError => {
  const [name, message, errorClass, hint] = wire;
  const make = CLASSES.get(name ?? "") ?? errors.MillraceError;
  return new make(message ?? "", { ...(errorClass ? { errorClass } : {}), ...(hint ? { hint } : {}) });
};
