/** Lines of JSON files as bytes, and the floor that every decoder is compared with: `JSON.parse` of each line, nothing else. */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Measured, measure } from "./measure.ts";

const BLOCK_BYTES = 1024 * 1024;
const NEWLINE = 10;

/** Calls `take` with each line of the files of a folder, in the order of their names; the bytes are valid until it returns. */
export const eachLine = (directory: string, take: (line: Buffer) => void): void => {
  for (const name of readdirSync(directory).sort()) {
    const file = openSync(join(directory, name), "r");
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    for (let n = readSync(file, block); n > 0; n = readSync(file, block)) {
      const bytes = rest.length === 0 ? block.subarray(0, n) : Buffer.concat([rest, block.subarray(0, n)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        take(bytes.subarray(start, end));
        start = end + 1;
      }
      rest = Buffer.from(bytes.subarray(start));
    }
    if (rest.length > 0) take(rest);
    closeSync(file);
  }
};

export interface Floor extends Measured {
  readonly lines: number;
}

/** The floor of one thread over the files of a folder. */
export const parseFloor = async (directory: string): Promise<Floor> => {
  let lines = 0;
  const measured = await measure(() => {
    eachLine(directory, (line) => {
      JSON.parse(line.toString("latin1"));
      lines++;
    });
    return Promise.resolve();
  });
  return { lines, ...measured };
};
