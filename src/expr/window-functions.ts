/**
 * Functions that need OVER: ranks, lag, lead, values of the frame. W1: a partition's rows are in order; `peers[i]` is the index of row i's group of equal order keys; `frames` holds each row's
 * frame as [start, end) in rows. Aggregates over frames are not here: they run as accumulators.
 */
import { DOUBLE, INT, type DataType, NULL } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { TypedExpr } from "./ast.ts";
import type { CallSite, Resolution } from "./function.ts";
import { failure } from "./functions/definition.ts";
import { any, coerceArgument, signature } from "./rules.ts";
import { analysisError, mismatch, unexpectedInput, wrongNumberOfArguments } from "./type-errors.ts";

export interface WindowPartition {
  readonly length: number;
  readonly peers: readonly number[];
  /** The argument values of each row. */
  readonly args: readonly (readonly Value[])[];
  readonly frames: readonly (readonly [start: number, end: number])[];
  readonly ignoreNulls: boolean;
}

export interface WindowFunctionDefinition {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly resolve: (args: readonly TypedExpr[], site: CallSite) => Resolution;
  /** One value per row. */
  readonly evaluate: (partition: WindowPartition) => Value[];
  /** Reads the frame (first_value, last_value, nth_value); the others have a frame of their own and refuse one. */
  readonly framed: boolean;
  /** Needs an ORDER BY. */
  readonly ordered: boolean;
  /** Whether IGNORE NULLS may stand behind it. */
  readonly ignoresNulls: boolean;
}

const rows = (p: WindowPartition, f: (i: number) => Value): Value[] =>
  Array.from({ length: p.length }, (_, i) => f(i));

/** Index of the first row of each row's peer group. */
const firstPeers = (p: WindowPartition): number[] => {
  const out: number[] = [];
  for (let i = 0; i < p.length; i++) out.push(i > 0 && p.peers[i] === p.peers[i - 1] ? out[i - 1]! : i);
  return out;
};
/** Index after the last row of each row's peer group. */
const peerEnds = (p: WindowPartition): number[] => {
  const out = new Array<number>(p.length);
  for (let i = p.length - 1; i >= 0; i--)
    out[i] = i + 1 < p.length && p.peers[i] === p.peers[i + 1] ? out[i + 1]! : i + 1;
  return out;
};

const denseRanks = (p: WindowPartition): Value[] => {
  let rank = 0;
  return rows(p, (i) => (i > 0 && p.peers[i] === p.peers[i - 1] ? rank : ++rank));
};

/** The first n mod buckets of them get one row more. */
const ntile = (p: WindowPartition): Value[] => {
  const buckets = p.args[0]?.[0] as number;
  const size = Math.floor(p.length / buckets);
  const larger = p.length % buckets;
  const edge = larger * (size + 1);
  return rows(p, (i) =>
    i < edge ? Math.floor(i / (size + 1)) + 1 : larger + Math.floor((i - edge) / Math.max(size, 1)) + 1,
  );
};

/** The row `by` rows away; with IGNORE NULLS the by-th row away that has a value. */
const shifted =
  (sign: 1 | -1) =>
  (p: WindowPartition): Value[] =>
    rows(p, (i) => {
      const [, offset, otherwise] = p.args[i]!;
      if (offset === null) return null;
      const by = sign * Number(offset);
      if (!p.ignoreNulls || by === 0)
        return i + by >= 0 && i + by < p.length ? p.args[i + by]![0]! : (otherwise ?? null);
      const step = Math.sign(by);
      let left = Math.abs(by);
      for (let k = i + step; k >= 0 && k < p.length; k += step) {
        if (p.args[k]![0] !== null && --left === 0) return p.args[k]![0]!;
      }
      return otherwise ?? null;
    });

const inFrame = (p: WindowPartition, i: number, nth: number, fromEnd: boolean): Value => {
  const [start, end] = p.frames[i]!;
  let left = nth;
  for (let k = fromEnd ? end - 1 : start; fromEnd ? k >= start : k < end; k += fromEnd ? -1 : 1) {
    const v = p.args[k]![0]!;
    if (p.ignoreNulls && v === null) continue;
    if (--left === 0) return v;
  }
  return null;
};

const plain = (
  name: string,
  summary: string,
  type: DataType,
  evaluate: (p: WindowPartition) => Value[],
): WindowFunctionDefinition => ({
  name,
  usage: `${name}()`,
  summary,
  resolve: signature([], type, { nullable: false }),
  evaluate,
  framed: false,
  ordered: true,
  ignoresNulls: false,
});

const NOTHING: TypedExpr = Object.freeze({ kind: "literal", value: null, type: NULL, nullable: true });
const ONE: TypedExpr = Object.freeze({ kind: "literal", value: 1, type: INT, nullable: false });

/** The distance is a constant int; the default takes the type of the value. */
const offsetResolve = (raw: readonly TypedExpr[], site: CallSite): Resolution => {
  if (raw.length > 3) throw wrongNumberOfArguments(site, "[0, 1, 2, 3]", raw.length);
  const [value = NOTHING, by = ONE, otherwise = NOTHING] = raw;
  const distance = site.fold?.(by) ?? by;
  if (distance.kind !== "literal")
    throw mismatch(
      "NON_FOLDABLE_INPUT",
      site,
      raw,
      'the input `offset` should be a foldable "INT" expression.',
    );
  if (by.type.kind === "string" && by !== distance) throw wrongFrame(site);
  if (by.type.kind === "string")
    throw analysisError(
      "FAILED_FUNCTION_CALL",
      `Failed preparing of the function \`${site.fn}\` for call. Please, double check function's arguments.`,
      site.position,
    );
  if (by.type.kind !== "int") throw wrongFrame(site);
  const args = [value, distance, coerceArgument(value.type, [value, by, otherwise], 2, site)];
  return { args, type: value.type, nullable: true };
};

const wrongFrame = (site: CallSite): Error =>
  analysisError(
    "_LEGACY_ERROR_TEMP_1035",
    `Cannot specify window frame for ${site.fn} function: its offset is a constant int.`,
    site.position,
  );

const offset = (name: "lag" | "lead", sign: 1 | -1): WindowFunctionDefinition => ({
  name,
  usage: `${name}(x[, offset[, default]])`,
  summary: `x of the row some rows ${sign > 0 ? "after" : "before"}; default (null) where there is none.`,
  resolve: offsetResolve,
  evaluate: shifted(sign),
  framed: false,
  ordered: true,
  ignoresNulls: true,
});

const edge = (name: string, fromEnd: boolean): WindowFunctionDefinition => ({
  name,
  usage: `${name}(x)`,
  summary: `x of the ${fromEnd ? "last" : "first"} row of the frame.`,
  resolve: signature([any, { kind: "boolean" }], (args) => args[0]!.type, { optional: 1, nullable: true }),
  evaluate: (p) => {
    const ignoreNulls = p.ignoreNulls || p.args[0]?.[1] === true;
    return rows(p, (i) => inFrame({ ...p, ignoreNulls }, i, 1, fromEnd));
  },
  framed: true,
  ordered: false,
  ignoresNulls: true,
});

const positive = (args: readonly TypedExpr[], index: number, site: CallSite): void => {
  const folded = site.fold?.(args[index]!) ?? args[index]!;
  if (folded.kind !== "literal")
    throw mismatch(
      "NON_FOLDABLE_INPUT",
      site,
      args,
      `the input \`${site.fn}\` should be a foldable "INT" expression.`,
    );
  const n = folded.value;
  if (n === null || Number(n) <= 0)
    throw mismatch(
      "VALUE_OUT_OF_RANGE",
      site,
      args,
      `The \`${site.fn}\` must be between (0, 2147483647] (current value = ${String(n)}).`,
    );
};

/** A rank is of the window's order: what is written in its brackets is typed and left. */
const ofOrder = (definition: WindowFunctionDefinition): WindowFunctionDefinition => ({
  ...definition,
  resolve: (_, site) => definition.resolve([], site),
});

const DEFINITIONS: readonly WindowFunctionDefinition[] = [
  plain("row_number", "The row's number in its partition, from 1.", INT, (p) => rows(p, (i) => i + 1)),
  ofOrder(
    plain("rank", "1 plus the rows before the row's peers.", INT, (p) => firstPeers(p).map((i) => i + 1)),
  ),
  ofOrder(plain("dense_rank", "1 plus the groups of peers before the row's.", INT, denseRanks)),
  ofOrder(
    plain("percent_rank", "(rank - 1) / (rows - 1).", DOUBLE, (p) =>
      firstPeers(p).map((i) => (p.length > 1 ? i / (p.length - 1) : 0)),
    ),
  ),
  plain("cume_dist", "The part of the rows up to and with the row's peers.", DOUBLE, (p) =>
    peerEnds(p).map((e) => e / p.length),
  ),
  {
    name: "ntile",
    usage: "ntile(n)",
    summary: "The row's bucket when the partition is cut in n as equal as can be.",
    resolve: signature([any], INT, {
      optional: 1,
      nullable: false,
      check: (args, site) => {
        if (args.length === 0) return [ONE];
        if (args[0]!.type.kind !== "int") throw unexpectedInput(site, args, 0, '"INT"');
        positive(args, 0, site);
        return args;
      },
    }),
    evaluate: ntile,
    framed: false,
    ordered: true,
    ignoresNulls: false,
  },
  offset("lag", -1),
  offset("lead", 1),
  edge("first_value", false),
  edge("first", false),
  edge("any_value", false),
  edge("last_value", true),
  edge("last", true),
  {
    name: "nth_value",
    usage: "nth_value(x, n)",
    summary: "x of the n-th row of the frame; null when it has fewer.",
    resolve: signature([any, INT], (args) => args[0]!.type, {
      nullable: true,
      check: (args, site) => positive(args, 1, site),
    }),
    evaluate: (p) => rows(p, (i) => inFrame(p, i, Number(p.args[i]![1]), false)),
    framed: true,
    ordered: false,
    ignoresNulls: true,
  },
];

const byName = new Map(DEFINITIONS.map((d) => [d.name, d]));

/** The window function of a name, in any case; aggregates are in their own registry. */
export const windowFunctionDefinition = (name: string): WindowFunctionDefinition | undefined =>
  byName.get(name.toLowerCase());
export const windowFunctionDefinitions = (): readonly WindowFunctionDefinition[] => DEFINITIONS;

/** Values of a window function over an ordered partition (W1). @throws ExecutionError for a name that is none */
export const evaluateWindow = (name: string, partition: WindowPartition): Value[] => {
  const d = windowFunctionDefinition(name);
  if (d === undefined) throw failure("UNRESOLVED_ROUTINE", `${name} is no window function.`);
  return d.evaluate(partition);
};
