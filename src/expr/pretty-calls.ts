/** How Spark names functions in column names, and the arguments it adds to calls that leave them out (they show in the name). */

/** Mathematical functions are written in capitals. */
const CAPITALS = new Set(
  (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot csc degrees e exp expm1 floor hypot log log10 log1p log2 " +
    "pi power radians sec signum sin sinh sqrt tan tanh"
  ).split(" "),
);

const RENAMED = new Map([
  ["string_agg", "listagg"],
  ["||", "concat"],
]);

export const displayName = (fn: string): string =>
  RENAMED.get(fn) ?? (CAPITALS.has(fn) ? fn.toUpperCase() : fn);

const TIME_FORMAT = "yyyy-MM-dd HH:mm:ss";
/** All arguments of a full call as defaults; those beyond what was written are shown. `undefined`: must be written. */
const DEFAULTS = new Map<string, readonly (string | undefined)[]>([
  ["split", [undefined, undefined, "-1"]],
  ["regexp_replace", [undefined, undefined, undefined, "1"]],
  ["regexp_extract", [undefined, undefined, "1"]],
  ["regexp_extract_all", [undefined, undefined, "1"]],
  ["regexp_instr", [undefined, undefined, "0"]],
  ["unix_timestamp", ["current_timestamp()", TIME_FORMAT]],
  ["to_unix_timestamp", [undefined, TIME_FORMAT]],
  ["from_unixtime", [undefined, TIME_FORMAT]],
  ["months_between", [undefined, undefined, "true"]],
  ["percentile_approx", [undefined, undefined, "10000"]],
  ["approx_percentile", [undefined, undefined, "10000"]],
  ["percentile", [undefined, undefined, "1"]],
  ["make_interval", ["0", "0", "0", "0", "0", "0", "0.000000"]],
  ["make_dt_interval", ["0", "0", "0", "0.000000"]],
  ["make_ym_interval", ["0", "0"]],
  ["listagg", [undefined, "NULL"]],
  ["string_agg", [undefined, "NULL"]],
  ["lpad", [undefined, undefined, " "]],
  ["rpad", [undefined, undefined, " "]],
  ["round", [undefined, "0"]],
  ["bround", [undefined, "0"]],
  ["locate", [undefined, undefined, "1"]],
  ["position", [undefined, undefined, "1"]],
  ["substring", [undefined, undefined, "2147483647"]],
  ["substr", [undefined, undefined, "2147483647"]],
  ["overlay", [undefined, undefined, undefined, "-1"]],
  ["lag", [undefined, "1", "NULL"]],
  ["lead", [undefined, "1", "NULL"]],
  ["sort_array", [undefined, "true"]],
  ["str_to_map", [undefined, ",", ":"]],
  ["mask", [undefined, "X", "x", "n", "NULL"]],
  ["sentences", [undefined, "", ""]],
  [
    "aggregate",
    [undefined, undefined, undefined, "lambdafunction(namedlambdavariable(), namedlambdavariable())"],
  ],
  [
    "reduce",
    [undefined, undefined, undefined, "lambdafunction(namedlambdavariable(), namedlambdavariable())"],
  ],
]);

/** The arguments that Spark adds after `given` written ones. */
export const defaultArguments = (fn: string, given: number): readonly string[] =>
  (DEFAULTS.get(fn) ?? []).slice(given).filter((d) => d !== undefined);
