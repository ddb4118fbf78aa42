/**
 * Paths into JSON as Spark has them (`$.a.b[0]['c'][*]`), what get_json_object finds at them, and json_tuple. P1: `[*]` gives an array of what it finds, and the bare
 * value where that is one; `[*][*]` gives one flat array.
 */
import type { Value } from "../core/value.ts";
import { type Json, JsonFraction, type JsonReading, tryReadJson, writeJson } from "./json-reader.ts";

export type PathStep =
  | { readonly kind: "key"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  /** `child`: written `.*`, which finds nothing in a text. */
  | { readonly kind: "all"; readonly child: boolean };

const STEP = /\.(\*|[^.[\]]+)|\[(?:(\d+)|(\*)|'([^']*)'|"([^"]*)")\]/y;

/** The steps of a path that begins with `$`; undefined when it is none. */
export const parsePath = (path: string): readonly PathStep[] | undefined => {
  if (!path.startsWith("$")) return undefined;
  const steps: PathStep[] = [];
  let at = 1;
  while (at < path.length) {
    STEP.lastIndex = at;
    const m = STEP.exec(path);
    if (m === null) return undefined;
    at = STEP.lastIndex;
    const name = m[1] ?? m[4] ?? m[5];
    if (m[1] === "*" || m[3] !== undefined) steps.push({ kind: "all", child: m[1] === "*" });
    else if (name !== undefined) steps.push({ kind: "key", name });
    else steps.push({ kind: "index", index: Number(m[2]) });
  }
  return steps;
};

const PATHS_MAX = 1000;
const paths = new Map<string, readonly PathStep[] | undefined>();

/** `parsePath`, kept. */
export const pathSteps = (path: string): readonly PathStep[] | undefined => {
  if (!paths.has(path)) {
    if (paths.size >= PATHS_MAX) paths.clear();
    paths.set(path, parsePath(path));
  }
  return paths.get(path);
};

/** The value at a path without `[*]`; undefined where there is none. */
export const valueAtPath = (v: Json, steps: readonly PathStep[]): Json | undefined => {
  let at: Json | undefined = v;
  for (const step of steps) {
    if (step.kind === "key") at = at instanceof Map ? at.get(step.name) : undefined;
    else at = step.kind === "index" && Array.isArray(at) ? at[step.index] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
};

/** How a string is written, and whether arrays at the end go into the one around them. */
type Style = "raw" | "quoted" | "flat";

/** What was written, and whether anything was found. */
interface Found {
  readonly texts: readonly string[];
  readonly any: boolean;
}
const NOTHING: Found = { texts: [], any: false };

const bracketed = (parts: readonly Found[]): string => `[${parts.flatMap((p) => p.texts).join(",")}]`;

const leaf = (v: Json, style: Style): Found => {
  if (style === "raw" && typeof v === "string") return { texts: [v], any: true };
  if (style !== "flat" || !Array.isArray(v)) return { texts: [writeJson(v)], any: true };
  const parts = v.map((x) => leaf(x, style));
  return { texts: parts.flatMap((p) => p.texts), any: parts.some((p) => p.any) };
};

/** P1. */
const everyElement = (v: readonly Json[], steps: readonly PathStep[], from: number, style: Style): Found => {
  const next = steps[from + 1];
  if (next?.kind === "all" && !next.child) {
    const parts = v.map((x) => found(x, steps, from + 2, "flat"));
    return { texts: [bracketed(parts)], any: parts.some((p) => p.any) };
  }
  const parts = v.map((x) => found(x, steps, from + 1, style === "flat" ? "flat" : "quoted"));
  const hits = parts.filter((p) => p.any).length;
  if (style === "quoted") return { texts: [bracketed(parts)], any: hits > 0 };
  if (hits === 0) return NOTHING;
  return { texts: [hits > 1 ? bracketed(parts) : bracketed(parts).slice(1, -1)], any: true };
};

const found = (v: Json, steps: readonly PathStep[], from: number, style: Style): Found => {
  const step = steps[from];
  if (step === undefined) return leaf(v, style);
  if (step.kind === "key") {
    const child = v instanceof Map ? v.get(step.name) : undefined;
    return child === undefined || child === null ? NOTHING : found(child, steps, from + 1, style);
  }
  if (!Array.isArray(v) || (step.kind === "all" && step.child)) return NOTHING;
  if (step.kind === "all") return everyElement(v, steps, from, style);
  if (step.index >= v.length) return NOTHING;
  return found(v[step.index]!, steps, from + 1, steps[from + 1]?.kind === "all" ? "quoted" : style);
};

/** What these functions read beyond the format, as Hive did. */
const HIVE: JsonReading = { singleQuotes: true, controlChars: true, firstOnly: true };

/** get_json_object: the value at a path as text; null when there is none. */
export const textAtPath = (text: string, steps: readonly PathStep[]): string | null => {
  const parsed = tryReadJson(text, { ...HIVE, duplicateKeys: "first" });
  if (parsed === undefined) return null;
  const { texts, any } = found(parsed, steps, 0, "raw");
  return any ? texts.join("") : null;
};

/** The value that a text begins with. */
export const firstJson = (text: string): Json | undefined => tryReadJson(text, HIVE);

/** json_tuple: the top-level values of keys. */
export const jsonFields = (json: string | null, keys: readonly (string | null)[]): Value[] => {
  const parsed = json === null ? undefined : firstJson(json);
  return keys.map((k) => {
    const v = k !== null && parsed instanceof Map ? parsed.get(k) : undefined;
    if (v === undefined || v === null) return null;
    return typeof v === "string" ? v : writeJson(v);
  });
};

/** A whole number, whatever its size. */
export const isInteger = (j: Json): j is number | bigint =>
  typeof j === "bigint" || (typeof j === "number" && Number.isInteger(j));
/** Any number. */
export const isNumber = (j: Json): j is number | bigint | JsonFraction =>
  typeof j === "number" || typeof j === "bigint" || j instanceof JsonFraction;
