/** How Spark names functions in column names, and the arguments it adds to calls that leave them out (they show in the name). */
import type { DataType } from "../core/data-type.ts";
import type { Expr } from "./ast.ts";

/** Mathematical functions are written in capitals. */
const CAPITALS = new Set(
  (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot csc degrees e exp expm1 floor hypot log log10 log1p log2 " +
    "pi power radians sec signum sin sinh sqrt tan tanh"
  ).split(" "),
);

const RENAMED = new Map([
  ["||", "concat"],
  ["array_agg", "collect_list"],
  ["curdate", "current_date"],
  ["current_database", "current_schema"],
  ["dateadd", "date_add"],
  ["rank", "RANK"],
  ["dense_rank", "DENSE_RANK"],
  ["percent_rank", "PERCENT_RANK"],
  ["regexp", "REGEXP"],
  ["regexp_like", "REGEXP_LIKE"],
  ["spark_partition_id", "SPARK_PARTITION_ID"],
  ["to_varchar", "to_char"],
  ["-", "negative"],
]);

export const displayName = (fn: string): string =>
  RENAMED.get(fn) ?? (CAPITALS.has(fn) ? fn.toUpperCase() : fn);

const VARIABLE = "namedlambdavariable()";
/** The comparison that Spark gives `array_sort` by default. */
const COMPARE = `lambdafunction((IF(((${VARIABLE} IS NULL) AND (${VARIABLE} IS NULL)), 0, (IF((${VARIABLE} IS NULL), 1, (IF((${VARIABLE} IS NULL), -1, (IF((${VARIABLE} < ${VARIABLE}), -1, (IF((${VARIABLE} > ${VARIABLE}), 1, 0)))))))))), ${VARIABLE}, ${VARIABLE})`;
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
  ["replace", [undefined, undefined, ""]],
  ["overlay", [undefined, undefined, undefined, "-1"]],
  ["lag", ["NULL", "1", "NULL"]],
  ["lead", ["NULL", "1", "NULL"]],
  ["ntile", ["1"]],
  ["sort_array", [undefined, "true"]],
  ["str_to_map", [undefined, ",", ":"]],
  ["mask", [undefined, "X", "x", "n", "NULL"]],
  ["sentences", [undefined, "", ""]],
  ["array_sort", [undefined, COMPARE]],
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

/** Functions whose further arguments are settings, not operands: they do not show. */
const FIRST_ONLY = new Set(
  "from_csv to_csv to_json schema_of_csv schema_of_json approx_count_distinct first first_value last last_value any_value".split(
    " ",
  ),
);
const FIRST_TWO = new Set(["variant_get", "try_variant_get", "ilike", "nth_value"]);
const FIRST_THREE = new Set(["lag", "lead"]);
/** What is written in the brackets of a rank does not show. */
const RANKS = new Set(["rank", "dense_rank", "percent_rank"]);

/** Names of types that are functions as well, `double('NaN')`: a cast that does not show. */
const CASTS = new Set(
  "boolean tinyint smallint int bigint float double decimal date timestamp binary string".split(" "),
);

const isTime = (t: DataType | undefined): boolean =>
  t?.kind === "date" || t?.kind === "timestamp" || t?.kind === "timestamp_ntz";

const BINARY_FORMATS: Readonly<Record<string, string>> = { base64: "base64", hex: "hex", "utf-8": "decode" };

/** `to_char` is another function for each type of its input. */
const toChar = (args: readonly string[], raw: readonly Expr[], type: DataType | undefined): string => {
  if (isTime(type)) return `date_format(${args.join(", ")})`;
  const format = raw[1]?.kind === "literal" ? String(raw[1].value).toLowerCase() : "";
  const fn = type?.kind === "binary" ? BINARY_FORMATS[format] : undefined;
  if (fn === undefined) return `to_char(${args.join(", ")})`;
  return `${fn}(${fn === "decode" ? args.join(", ") : args[0]})`;
};

/** Calls whose name in a column differs from `name(arguments)`. `typeOf`: a type where it is known without analysis. */
export const rewrittenCall = (
  fn: string,
  args: readonly string[],
  raw: readonly Expr[],
  typeOf: (e: Expr) => DataType | undefined,
): string | undefined => {
  if (CASTS.has(fn) && args.length === 1) return args[0]!;
  if (FIRST_ONLY.has(fn) && args.length > 1) return `${displayName(fn)}(${args[0]})`;
  if (FIRST_TWO.has(fn) && args.length > 2) return `${displayName(fn)}(${args[0]}, ${args[1]})`;
  if (FIRST_THREE.has(fn) && args.length > 3) return `${displayName(fn)}(${args.slice(0, 3).join(", ")})`;
  if (RANKS.has(fn)) return `${displayName(fn)}()`;
  switch (fn) {
    case "datepart":
      return args.length === 2 ? `datepart(${args[0]} FROM ${args[1]})` : undefined;
    case "convert_timezone":
      return args.length === 2 ? `convert_timezone(current_timezone(), ${args.join(", ")})` : undefined;
    case "log":
      return args.length === 1 ? `LOG(E(), ${args[0]})` : undefined;
    case "from_json":
      return raw[1]?.kind === "literal" && /^\s*map\s*</i.test(String(raw[1].value))
        ? "entries"
        : `from_json(${args[0]})`;
    case "ceil":
    case "floor":
      return args.length === 2 ? `${fn}(${args.join(", ")})` : undefined;
    case "assert_true":
      return args.length === 1 ? `assert_true(${args[0]}, '${args[0]}' is not true!)` : undefined;
    case "raise_error":
      return args.length === 1
        ? `raise_error(USER_RAISED_EXCEPTION, map(errorMessage, ${args[0]}))`
        : undefined;
    case "mode":
      return raw[1]?.kind === "literal" && raw[1].value === true
        ? `mode() WITHIN GROUP (ORDER BY ${args[0]} DESC)`
        : args.length > 1
          ? `mode(${args[0]})`
          : undefined;
    case "to_char":
    case "to_varchar":
      return args.length === 2 ? toChar(args, raw, typeOf(raw[0]!)) : undefined;
    default:
      return undefined;
  }
};
