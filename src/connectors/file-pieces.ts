/**
 * How the files of an epoch are spread over splits that are read side by side.
 *
 * Invariants.
 *  Q1 pieces are a function of the files, their sizes and the number of splits, and lie in the plan entry: a replay reads the same.
 *  Q2 a piece [from, to) holds the lines that begin in it: pieces of a file are disjoint and together the file, wherever they are cut.
 */
import type { InputFile } from "./file-listing.ts";

/** A file, or the lines of it that begin in [from, to). Plan data. */
export type FilePiece = InputFile & {
  readonly from?: number;
  readonly to?: number;
};

/** Bytes of a piece at least: a smaller one costs more to open than it saves. */
export const PIECE_BYTES_MIN = 64 * 1024;

/**
 * The files in order, cut into `splits` runs of about equal bytes. A file that may not be cut goes to the run that its middle lies in. Runs may
 * be empty.
 */
export const spreadFiles = (
  files: readonly InputFile[],
  splits: number,
  cut: boolean,
  pieceBytesMin = PIECE_BYTES_MIN,
): readonly (readonly FilePiece[])[] => {
  if (splits === 1) return [files];
  const out = Array.from({ length: splits }, (): FilePiece[] => []);
  const total = files.reduce((n, f) => n + f.size, 0);
  const share = Math.max(1, Math.ceil(total / splits), cut ? pieceBytesMin : 0);
  const runOf = (byte: number): number => Math.min(splits - 1, Math.floor(byte / share));
  let begin = 0;
  for (const file of files) {
    const end = begin + file.size;
    if (!cut || runOf(begin) === runOf(Math.max(begin, end - 1)))
      out[runOf(begin + file.size / 2)]!.push(file);
    else
      for (let run = runOf(begin); run <= runOf(end - 1); run++) {
        const from = Math.max(begin, run * share) - begin;
        const to = run === splits - 1 ? file.size : Math.min(end, (run + 1) * share) - begin;
        out[run]!.push({ ...file, from, to });
      }
    begin = end;
  }
  return out;
};
