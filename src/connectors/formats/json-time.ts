/** Times as text in JSON bytes: the usual form without a string, the others by their text. */
import type { TimeTexts } from "./json-codegen.ts";
import { cursor, instant, skipString, utf8 } from "./json-scan.ts";
import { dateOfText, timestampNtzOfText, timestampOfText } from "./time-text.ts";

/** The text whose first character is at `p`, the cursor behind its quote; undefined when it is no string. */
const textAt = (b: Uint8Array, v: DataView, p: number, end: number): string | undefined => {
  const behind = skipString(b, v, p, end);
  if (behind < 0) return undefined;
  cursor[0] = behind;
  return JSON.parse(utf8(b, p - 1, behind)) as string;
};

/** Readers of times; text without a zone is in `timeZone`. */
export const timeTexts = (timeZone: string): TimeTexts => {
  const by =
    (read: (text: string) => number): TimeTexts["date"] =>
    (b, v, p, end) => {
      const text = textAt(b, v, p, end);
      return text === undefined ? NaN : read(text);
    };
  const any = by((text) => timestampOfText(text, timeZone));
  return {
    timestamp(b, v, p, end) {
      const ms = instant(b, p);
      return ms === ms ? ms : any(b, v, p, end);
    },
    timestampNtz: by(timestampNtzOfText),
    date: by(dateOfText),
  };
};
