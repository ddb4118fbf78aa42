/** URL functions: url_encode, url_decode, parse_url. U1: a URL is what java.net.URI takes for one, and its parts are what that gives (raw, not decoded). */
import { STRING } from "../../core/data-type.ts";
import type { FunctionDefinition } from "../function.ts";
import { signature } from "../rules.ts";
import { failure, family, plain, strict } from "./definition.ts";
import { javaRegex } from "./java-regex.ts";

const url = family("url");

/** application/x-www-form-urlencoded, as java.net.URLEncoder. */
const urlEncode = (s: string): string =>
  encodeURIComponent(s)
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");

/** java.net.URLDecoder: bytes that are no UTF-8 become U+FFFD; undefined where a % lacks its digits. */
const urlDecode = (s: string): string | undefined =>
  /%(?![0-9A-Fa-f]{2})/.test(s)
    ? undefined
    : s
        .replaceAll("+", " ")
        .replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
          Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"),
        );

const cannotDecode = (s: string): Error =>
  failure(
    "CANNOT_DECODE_URL",
    `The provided URL cannot be decoded: ${s}. Please ensure that the URL is properly formatted and try again.`,
  );

/** Characters of RFC 2396 as java.net.URI extends it: letters and signs beyond ASCII may stand anywhere, a % needs two digits. */
const OTHER =
  "\\u00a1-\\u167f\\u1681-\\u1fff\\u200b-\\u2027\\u202a-\\u202e\\u2030-\\u205e\\u2060-\\u2fff\\u3001-\\uffff";
const chars = (more: string): string => `(?:[A-Za-z0-9_\\-!.~'()*,;:$&+=${more}${OTHER}]|%[0-9A-Fa-f]{2})*`;
const PATH = new RegExp(`^${chars("@/")}$`, "u");
const QUERY = new RegExp(`^${chars("@/?\\[\\]")}$`, "u");
const AUTHORITY = new RegExp(`^${chars("@\\[\\]")}$`, "u");
const USER = new RegExp(`^${chars("")}$`, "u");
const SPLIT = /^(?:([^:/?#]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/su;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const SERVER = /^(?:([^@]*)@)?(\[[0-9A-Fa-f:.%a-z]*\]|[^:@[\]]*)(?::(\d*))?$/u;
const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;
/** Labels of letters, digits and inner hyphens; the last one begins with a letter. */
const NAME = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?$/;

interface Server {
  readonly user: string | null;
  readonly host: string | null;
}

/** User and host of an authority; neither when it is a name that no server has (an underscore, a letter for a port). */
const serverOf = (authority: string): Server => {
  const m = SERVER.exec(authority);
  const host = m?.[2] ?? "";
  const isServer = m !== null && (host.startsWith("[") || IPV4.test(host) || NAME.test(host));
  if (!isServer || (m[1] !== undefined && !USER.test(m[1]))) return { user: null, host: null };
  return { user: m[1] ?? null, host };
};

/** U1: the parts of a URL by their names; undefined when it is none. */
const partsOf = (text: string): ReadonlyMap<string, string | null> | undefined => {
  const m = SPLIT.exec(text);
  if (m === null) return undefined;
  const [, scheme, authority, path = "", query, ref] = m;
  if (scheme !== undefined && !SCHEME.test(scheme)) return undefined;
  if (!PATH.test(path) || !QUERY.test(query ?? "") || !QUERY.test(ref ?? "")) return undefined;
  if (authority !== undefined && !AUTHORITY.test(authority)) return undefined;
  const nothing = path === "" && query === undefined;
  if (authority === "" && nothing) return undefined;
  if (scheme !== undefined && authority === undefined && nothing) return undefined;
  // scheme:text without a slash is opaque: it has no path and no query.
  const opaque = scheme !== undefined && authority === undefined && !path.startsWith("/");
  const { user, host } = serverOf(authority ?? "");
  return new Map<string, string | null>([
    ["PROTOCOL", scheme ?? null],
    ["HOST", host],
    ["PATH", opaque ? null : path],
    ["QUERY", opaque ? null : (query ?? null)],
    ["REF", ref ?? null],
    ["FILE", opaque ? null : query === undefined ? path : `${path}?${query}`],
    ["AUTHORITY", authority === undefined || authority === "" ? null : authority],
    ["USERINFO", user],
  ]);
};

/** The value of a key of a query. The key is a regular expression, as Spark takes it. */
const queryValue = (query: string, key: string): string | null =>
  javaRegex(`(?:&|^)${key}=([^&]*)`, "").exec(query)?.[1] ?? null;

/** A part of a URL; undefined when the text is none. */
const parseUrl = (text: string, part: string, key: string | undefined): string | null | undefined => {
  const parts = partsOf(text);
  if (parts === undefined) return undefined;
  const value = parts.get(part) ?? null;
  if (key === undefined) return value;
  return part === "QUERY" && value !== null ? queryValue(value, key) : null;
};

const parsing = (name: string, lenient: boolean): FunctionDefinition =>
  url(
    `${name}(url, part[, key])`,
    `A part of a URL: HOST, PATH, QUERY (or one key of it), REF, PROTOCOL, FILE, AUTHORITY, USERINFO.`,
    signature([STRING, STRING, STRING], STRING, { optional: 1, nullable: true }),
    strict<[string, string, string | undefined]>(([text, part, key]) => {
      const value = parseUrl(text, part, key);
      if (value === undefined && !lenient)
        throw failure(
          "INVALID_URL",
          `The url is invalid: ${text}. Use \`try_parse_url\` to tolerate invalid URL and return NULL instead.`,
        );
      return value ?? null;
    }),
    { examples: [[`${name}('http://spark.apache.org/path?query=1', 'HOST')`, "spark.apache.org"]] },
  );

export const URL_FUNCTIONS: readonly FunctionDefinition[] = [
  url(
    "url_encode(str)",
    "A string as application/x-www-form-urlencoded.",
    signature([STRING], STRING),
    plain(urlEncode),
    { examples: [["url_encode('https://spark.apache.org')", "https%3A%2F%2Fspark.apache.org"]] },
  ),
  url(
    "url_decode(str)",
    "The string of an encoded one. @throws CANNOT_DECODE_URL",
    signature([STRING], STRING),
    plain((s: string) => {
      const decoded = urlDecode(s);
      if (decoded === undefined) throw cannotDecode(s);
      return decoded;
    }),
    { examples: [["url_decode('https%3A%2F%2Fspark.apache.org')", "https://spark.apache.org"]] },
  ),
  url(
    "try_url_decode(str)",
    "url_decode; null where the text does not fit.",
    signature([STRING], STRING, { nullable: true }),
    strict<[string]>(([s]) => urlDecode(s) ?? null),
  ),
  parsing("parse_url", false),
  parsing("try_parse_url", true),
];
