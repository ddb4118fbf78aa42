/** The escapes of Spark's string literals. `\%` and `\_` keep their backslash, because LIKE patterns need it. */
const SIMPLE = new Map([
  ["0", "\0"],
  ["b", "\b"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["Z", "\u001a"],
  ["%", "\\%"],
  ["_", "\\_"],
]);

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([01][0-7][0-7])|([\s\S]))|''|""/g;

const codePoint = (hex: string): string => {
  const code = Number.parseInt(hex, 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
};

/** The value of a literal's body: doubled quotes (of the literal's kind only) and backslash escapes resolved. */
export const unescapeString = (body: string, quote: string): string => {
  if (!body.includes("\\")) return body.replaceAll(quote + quote, quote);
  return body.replace(
    ESCAPE,
    (found: string, short?: string, long?: string, octal?: string, other?: string): string => {
      if (short !== undefined) return codePoint(short);
      if (long !== undefined) return codePoint(long);
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      if (other !== undefined) return SIMPLE.get(other) ?? other;
      return found === quote + quote ? quote : found;
    },
  );
};
