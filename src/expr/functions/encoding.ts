/** Strings as bytes and back: encode, decode, base64, UTF-8 checks. */
import { BINARY, BOOLEAN, STRING } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { castTo, commonType } from "../coercion.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { binary, signature, type SignatureOptions, stringOrBinary } from "../rules.ts";
import { differentTypes, mismatch } from "../type-errors.ts";
import { equalValues } from "../value-order.ts";
import { constantOf, custom, failure, family, plain, strict } from "./definition.ts";

const string = family("string");

const CHARSETS = new Set(["US-ASCII", "ISO-8859-1", "UTF-8", "UTF-16BE", "UTF-16LE", "UTF-16", "UTF-32"]);

const charsetOf = (name: string, fn: string): string => {
  const upper = name.toUpperCase();
  if (CHARSETS.has(upper)) return upper;
  throw failure(
    "INVALID_PARAMETER_VALUE.CHARSET",
    `The value of parameter(s) \`charset\` in \`${fn}\` is invalid: expects one of the ${[...CHARSETS].join(", ")}, but got ${name}.`,
  );
};
const malformed = (fn: string, charset: string): Error =>
  failure("MALFORMED_CHARACTER_CODING", `Invalid value found when performing \`${fn}\` with ${charset}.`);

const swapped = (b: Buffer): Buffer => Buffer.from(b).swap16();

const encode = (s: string, charset: string): Uint8Array => {
  const name = charsetOf(charset, "encode");
  const most = name === "US-ASCII" ? 0x7f : name === "ISO-8859-1" ? 0xff : Infinity;
  for (const c of s) if (c.codePointAt(0)! > most) throw malformed("encode", charset);
  switch (name) {
    case "UTF-16LE":
      return new Uint8Array(Buffer.from(s, "utf16le"));
    case "UTF-16BE":
      return new Uint8Array(swapped(Buffer.from(s, "utf16le")));
    case "UTF-16":
      return new Uint8Array(Buffer.concat([Buffer.from([0xfe, 0xff]), swapped(Buffer.from(s, "utf16le"))]));
    case "UTF-32":
      return new Uint8Array(
        [...s].flatMap((c) => {
          const p = c.codePointAt(0)!;
          return [p >>> 24, (p >>> 16) & 255, (p >>> 8) & 255, p & 255];
        }),
      );
    default:
      return new Uint8Array(Buffer.from(s, name === "UTF-8" ? "utf8" : "latin1"));
  }
};

const decode = (bytes: Uint8Array, charset: string): string => {
  const name = charsetOf(charset, "decode");
  try {
    switch (name) {
      case "UTF-8":
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      case "UTF-16LE":
        return new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true }).decode(bytes);
      case "UTF-16BE":
      case "UTF-16": {
        const little = name === "UTF-16" && bytes[0] === 0xff && bytes[1] === 0xfe;
        const marked = name === "UTF-16" && (little || (bytes[0] === 0xfe && bytes[1] === 0xff));
        const body = Buffer.from(marked ? bytes.slice(2) : bytes);
        return new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true }).decode(
          little ? body : swapped(body),
        );
      }
      case "UTF-32": {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        return Array.from({ length: bytes.length / 4 }, (_, i) =>
          String.fromCodePoint(view.getUint32(i * 4)),
        ).join("");
      }
      default:
        if (name === "US-ASCII" && bytes.some((b) => b > 127)) throw malformed("decode", charset);
        return Buffer.from(bytes).toString("latin1");
    }
  } catch (e) {
    if (e instanceof TypeError || e instanceof RangeError) throw malformed("decode", charset);
    throw e;
  }
};

/** decode(bytes, charset) and Oracle's decode(x, search1, result1, …, default). */
const decodeRule: TypeRule = (args, site) => {
  if (args.length <= 2) return signature([binary, STRING], STRING)(args, site);
  const isResult = (i: number): boolean =>
    i > 0 && (i % 2 === 0 || (i === args.length - 1 && args.length % 2 === 0));
  const keys = commonType(args.filter((_, i) => !isResult(i)).map((a) => a.type));
  const results = commonType(args.filter((_, i) => isResult(i)).map((a) => a.type));
  if (keys === undefined || results === undefined) throw differentTypes(site, args);
  return { args: args.map((a, i) => castTo(a, isResult(i) ? results : keys)), type: results, nullable: true };
};

const choose = (args: readonly Value[], equal: (a: Value, b: Value) => boolean): Value => {
  const x = args[0]!;
  for (let i = 1; i + 1 < args.length; i += 2) {
    const key = args[i]!;
    if (key === null ? x === null : x !== null && equal(x, key)) return args[i + 1]!;
  }
  return args.length % 2 === 0 ? args[args.length - 1]! : null;
};

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const binaryOf = (s: string, format: string, lenient: boolean): Uint8Array | null => {
  const wrong = (): null => {
    if (lenient) return null;
    throw failure(
      "CONVERSION_INVALID_INPUT",
      `The value '${s}' (${format}) cannot be converted to "BINARY" because it is malformed. Correct the value as per the syntax, or change its format. Use \`try_to_binary\` to tolerate malformed input and return NULL instead.`,
    );
  };
  switch (format.toLowerCase()) {
    case "hex":
      return /^[0-9a-fA-F]*$/.test(s)
        ? new Uint8Array(Buffer.from(s.length % 2 === 0 ? s : `0${s}`, "hex"))
        : wrong();
    case "utf-8":
    case "utf8":
      return new Uint8Array(Buffer.from(s, "utf8"));
    case "base64": {
      // Blanks may stand between digits, not behind padding.
      if (/=\s/.test(s)) return wrong();
      const compact = s.replace(/\s/g, "");
      return BASE64.test(compact) && compact.length % 4 === 0
        ? new Uint8Array(Buffer.from(compact, "base64"))
        : wrong();
    }
    default:
      return wrong();
  }
};

const MIME_LINE = 76;
/** Lines of 76 characters, as MIME has them. */
const mimeLines = (text: string): string =>
  text.length <= MIME_LINE ? text : text.match(/.{1,76}/g)!.join("\r\n");

const FORMATS = ["hex", "utf-8", "utf8", "base64"];

/** The format is a constant, one of four words or null. */
const checkFormat: SignatureOptions["check"] = (args, site) => {
  if (args.length < 2) return;
  const format = constantOf(site.fold?.(args[1]!) ?? args[1]);
  if (format === undefined)
    throw mismatch(
      "NON_FOLDABLE_INPUT",
      site,
      args,
      'the input `fmt` should be a foldable "STRING" expression.',
    );
  if (site.fn.startsWith("try_") || format === null || FORMATS.includes((format as string).toLowerCase()))
    return;
  throw mismatch(
    "INVALID_ARG_VALUE",
    site,
    args,
    `The \`fmt\` value must to be a case-insensitive "STRING" literal of 'hex', 'utf-8', 'utf8', or 'base64', but got '${String(format)}'.`,
  );
};

const validUtf8 = (b: Uint8Array): boolean =>
  Buffer.from(Buffer.from(b).toString("utf8"), "utf8").equals(Buffer.from(b));
const bytesOf = (v: Value): Uint8Array =>
  typeof v === "string" ? new Uint8Array(Buffer.from(v, "utf8")) : (v as Uint8Array);
const textOf = (v: Value): string =>
  typeof v === "string" ? v : Buffer.from(v as Uint8Array).toString("utf8");

/** Java's MIME decoder: up to the padding, what is no digit of base 64 is passed over. */
const unbase64 = (s: string): Uint8Array => {
  const digits = s.replace(/[^A-Za-z0-9+/=]/g, "").replace(/=.*$/s, "");
  if (digits.length % 4 === 1)
    throw failure(
      "CONVERSION_INVALID_INPUT",
      `The value '${s}' (base64) cannot be converted to "BINARY" because it is malformed. Use \`try_to_binary\` to tolerate malformed input and return NULL instead.`,
    );
  return new Uint8Array(Buffer.from(digits, "base64"));
};

const coding: readonly FunctionDefinition[] = [
  string(
    "encode(str, charset)",
    "The bytes of a string in a charset: US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE, UTF-16, UTF-32.",
    signature([STRING, STRING], BINARY),
    plain(encode),
    { examples: [["hex(encode('abc', 'utf-8'))", "616263"]] },
  ),
  string(
    "decode(bytes, charset)",
    "The string of bytes in a charset; `decode(x, search, result, …[, default])` picks a result.",
    decodeRule,
    custom<Value[]>((args, call) => {
      if (args.length > 2) return choose(args, equalValues(call.argTypes[0]!));
      return args[0] === null || args[1] === null ? null : decode(args[0] as Uint8Array, args[1] as string);
    }),
    { examples: [["decode(encode('abc', 'utf-8'), 'utf-8')", "abc"]] },
  ),
  string(
    "base64(bytes)",
    "Base 64 of bytes.",
    signature([binary], STRING),
    plain((b: Uint8Array) => mimeLines(Buffer.from(b).toString("base64"))),
    { examples: [["base64('Spark SQL')", "U3BhcmsgU1FM"]] },
  ),
  string(
    "unbase64(text)",
    "The bytes of base 64; other characters are passed over.",
    signature([STRING], BINARY),
    plain(unbase64),
    { examples: [["decode(unbase64('U3BhcmsgU1FM'), 'utf-8')", "Spark SQL"]] },
  ),
  ...(["to_binary", "try_to_binary"] as const).map((name) =>
    string(
      `${name}(text[, format])`,
      `The bytes of a text of format hex (default), utf-8 or base64${name === "to_binary" ? "" : "; null where it does not fit"}.`,
      signature([STRING, STRING], BINARY, { optional: 1, nullable: true, check: checkFormat }),
      strict<[string, string | undefined]>(([s, f]) => binaryOf(s, f ?? "hex", name !== "to_binary")),
    ),
  ),
  string(
    "is_valid_utf8(x)",
    "Whether bytes are valid UTF-8.",
    signature([stringOrBinary], BOOLEAN),
    plain((v: Value) => validUtf8(bytesOf(v))),
    { examples: [["is_valid_utf8('Spark')", "true"]] },
  ),
  string(
    "make_valid_utf8(x)",
    "The string with invalid bytes replaced by U+FFFD.",
    signature([stringOrBinary], STRING),
    plain(textOf),
    { examples: [["make_valid_utf8('Spark')", "Spark"]] },
  ),
  string(
    "validate_utf8(x)",
    "The string. @throws INVALID_UTF8_STRING",
    signature([stringOrBinary], STRING),
    plain((v: Value) => {
      if (!validUtf8(bytesOf(v)))
        throw failure(
          "INVALID_UTF8_STRING",
          `Invalid UTF8 byte sequence found in string: ${Buffer.from(bytesOf(v)).toString("hex")}.`,
        );
      return textOf(v);
    }),
    { examples: [["validate_utf8('Spark')", "Spark"]] },
  ),
  string(
    "try_validate_utf8(x)",
    "The string; null when it is not valid UTF-8.",
    signature([stringOrBinary], STRING, { nullable: true }),
    strict<[Value]>(([v]) => (validUtf8(bytesOf(v)) ? textOf(v) : null)),
    { examples: [["try_validate_utf8('Spark')", "Spark"]] },
  ),
];

export const ENCODING_FUNCTIONS: readonly FunctionDefinition[] = coding;
