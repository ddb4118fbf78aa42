/** What each error class means and what to do about it: Spark's classes by their first part, in the order of the alphabet. */

import { ERROR_CLASSES_FROM_I } from "./error-classes-from-i.ts";

/** [class, what it says and what helps] */
export const ERROR_CLASSES: readonly (readonly [string, string])[] = [
  [
    "ALL_PARAMETERS_MUST_BE_NAMED",
    "EXECUTE IMMEDIATE of a text with `:name` parameters: write `USING value AS name` for each.",
  ],
  [
    "AMBIGUOUS_LATERAL_COLUMN_ALIAS",
    "Two items of SELECT have this alias, and a third refers to it. Give them different names.",
  ],
  [
    "AMBIGUOUS_REFERENCE",
    "The name fits several columns, usually after a join. Qualify it (`t.k`), or rename one side first.",
  ],
  ["AMBIGUOUS_REFERENCE_TO_FIELDS", "A struct has several fields of this name when case is not counted."],
  [
    "ARITHMETIC_OVERFLOW",
    "The result does not fit its type. Cast the operands to a wider type, or use the `try_` form, which gives null.",
  ],
  ["ASSIGNMENT_ARITY_MISMATCH", "A list of names and what it names differ in length."],
  ["BINARY_ARITHMETIC_OVERFLOW", "As ARITHMETIC_OVERFLOW, for byte and short."],
  [
    "CALL_ON_STREAMING_DATASET_UNSUPPORTED",
    "The method needs rows that have an end. Use `writeStream`, or read the source with `read`.",
  ],
  ["CANNOT_DECODE_URL", "The text is no URL-encoded text: a `%` is not followed by two hexadecimal digits."],
  [
    "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
    "The step of a recursive query gives another type than its start: cast the start.",
  ],
  ["CANNOT_PARSE_DATATYPE", "The type is not known or not supported."],
  [
    "CANNOT_PARSE_INTERVAL",
    "The text is no interval. Write it like `INTERVAL '1 02:03:04' DAY TO SECOND` or `5 minutes`.",
  ],
  [
    "CANNOT_PARSE_TIMESTAMP",
    "The text does not fit the pattern. Mend the pattern, or use `try_to_timestamp`, which gives null.",
  ],
  ["CANNOT_RESOLVE_STAR_EXPAND", "`t.*` names something that is neither a table here nor a struct."],
  [
    "CAST_INVALID_INPUT",
    "The text is no value of the type (`CAST('x' AS INT)`). Mend the input, or use `try_cast`, which gives null.",
  ],
  ["CAST_OVERFLOW", "The value is outside of the range of the type. Cast to a wider one, or use `try_cast`."],
  ["COLLECTION_SIZE_LIMIT_EXCEEDED", "An array or text would have more elements than one value can hold."],
  ["COLUMN_ALREADY_EXISTS", "A name stands twice in a list of columns."],
  [
    "COMPARATOR_RETURNS_NULL",
    "The comparison function of `array_sort` gave null. It must give a negative number, 0 or a positive one.",
  ],
  [
    "CONVERSION_INVALID_INPUT",
    "The text cannot be converted by this format. There is a `try_` form of most conversions.",
  ],
  ["CREATE_VIEW_COLUMN_ARITY_MISMATCH", "CREATE VIEW names another number of columns than its query gives."],
  [
    "CYCLIC_FUNCTION_REFERENCE",
    "A SQL function calls itself, itself or through others. Functions of SQL do not recur: use a recursive query.",
  ],
  [
    "DATATYPE_MISMATCH",
    "An argument or condition has a type that does not fit; the subclass says how. Cast it to what the message asks for.",
  ],
  ["DATATYPE_MISSING_SIZE", "CHAR and VARCHAR need a length."],
  [
    "DATETIME_FIELD_OUT_OF_BOUNDS",
    "A part of a date or time is outside of its range (month 13). `try_make_timestamp` and its like give null.",
  ],
  ["DATETIME_OVERFLOW", "A time is beyond what a timestamp holds: 292,000 years around 1970."],
  ["DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "A decimal has at most 38 digits."],
  ["DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "Window functions take no DISTINCT."],
  [
    "DIVIDE_BY_ZERO",
    "Division by zero is an error, as in ANSI SQL. `try_divide` gives null; so does dividing by `nullif(x, 0)`.",
  ],
  ["DUPLICATED_CTE_NAMES", "WITH defines a name twice."],
  ["DUPLICATED_MAP_KEY", "A map was built with one key twice."],
  ["DUPLICATE_ASSIGNMENTS", "One SET VARIABLE or INTO names a variable twice."],
  ["DUPLICATE_CLAUSES", "A clause of CREATE TABLE stands twice."],
  ["DUPLICATE_EXCEPTION_HANDLER", "Two handlers of a block are for one condition."],
  ["DUPLICATE_KEY", "An option or property stands twice."],
  ["DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT", "A named argument is given twice."],
  ["DUPLICATE_ROUTINE_PARAMETER_NAMES", "Two parameters of CREATE FUNCTION have one name."],
  [
    "EARLY_ROWS_UNSUPPORTED",
    "The `emit` option of `agg` gives early rows of aggregates in append mode. Give the marker a name of its own; sessions have update mode instead.",
  ],
  ["END_LABEL_WITHOUT_BEGIN_LABEL", "A label stands behind END, and none in front of the block."],
  [
    "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
    "A watermark needs a column of type timestamp. Convert it with `withColumn` first.",
  ],
  ["EXCEPT_OVERLAPPING_COLUMNS", "`* EXCEPT (…)` names a column and a part of it. Name only one of them."],
  ["EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "USING names two values alike."],
  [
    "EXPECT_TABLE_NOT_VIEW",
    "The statement writes to a table; the name is a view. Declare the target with CREATE TABLE … USING.",
  ],
  ["EXPECT_VIEW_NOT_TABLE", "The statement is about views; the name is a table. Use DROP TABLE."],
  [
    "FAILED_EXECUTE_UDF",
    "A user function threw. The message has the function, the row's place in the input and the cause; `onError` says what becomes of such rows.",
  ],
  ["FAILED_FUNCTION_CALL", "An argument cannot be read as the function needs it."],
  [
    "FAILED_TO_PARSE_TOO_COMPLEX",
    "The SQL text is nested deeper, or chained longer, than the limits allow. Split it with views or CTEs.",
  ],
  ["FIELD_NOT_FOUND", "The struct has no such field; the message lists those it has."],
  [
    "FOREACH_USER_FUNCTION_ERROR",
    "A function given to `foreach` or `foreachBatch` threw or rejected. The query fails with it as the cause; when started again, the epoch comes again.",
  ],
  ["GROUPING_COLUMN_MISMATCH", "`grouping(x)` takes one of the keys of GROUPING SETS, CUBE or ROLLUP."],
  [
    "GROUPING_ID_COLUMN_MISMATCH",
    "`grouping_id` takes the keys of the grouping, all of them and in order, or none.",
  ],
  [
    "GROUP_BY_AGGREGATE",
    "GROUP BY holds an aggregate function. Group by what the rows have; use HAVING for conditions on aggregates.",
  ],
  ["GROUP_BY_POS_AGGREGATE", "GROUP BY names by number an item that is an aggregate."],
  ["GROUP_BY_POS_OUT_OF_RANGE", "GROUP BY names an item by a number that SELECT does not have."],
  ...ERROR_CLASSES_FROM_I,
];

/** Literals of the sources that look like classes and are none: names of functions, types, settings, broker messages, parts of classes. */
export const NO_ERROR_CLASSES: ReadonlySet<string> = new Set(
  (
    "ACCOUNT_EXPIRED ANY_VALUE AUTHENTICATION_EXPIRED AUTHORIZATION_VIOLATION BAD_AUTHENTICATION BAD_CREDS CURRENT_DATE CURRENT_TIMESTAMP " +
    "DATE_FROM_UNIX_DATE DAYOFWEEK_ISO DENSE_RANK ESC_AT_THE_END ESC_IN_THE_MIDDLE FIRST_VALUE LAST_VALUE LEVEL_LOCKED NATS_URL " +
    "NOT_ENOUGH NO_RESPONDERS NO_STREAM PERCENT_RANK PERMISSIONS_VIOLATION REGEXP_LIKE SPARK_PARTITION_ID TIMESTAMP_LTZ TIMESTAMP_NTZ " +
    "TOO_MANY TRY_CAST UNIX_DATE UTF8_BINARY " +
    // parts behind DATATYPE_MISMATCH
    "ARRAY_FUNCTION_DIFF_TYPES BINARY_OP_DIFF_TYPES BINARY_OP_WRONG_TYPE CAST_WITHOUT_SUGGESTION CAST_WITH_CONF_SUGGESTION CAST_WITH_FUNC_SUGGESTION " +
    "CREATE_MAP_KEY_DIFF_TYPES CREATE_MAP_VALUE_DIFF_TYPES CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING DATA_DIFF_TYPES BINARY_ARRAY_DIFF_TYPES UNEXPECTED_RETURN_TYPE " +
    "INVALID_JSON_MAP_KEY_TYPE INVALID_JSON_SCHEMA MAP_CONCAT_DIFF_TYPES FILTER_NOT_BOOLEAN HASH_MAP_TYPE HASH_VARIANT_TYPE MAP_FROM_ENTRIES_WRONG_TYPE MAP_FUNCTION_DIFF_TYPES " +
    "NON_FOLDABLE_INPUT NULL_TYPE PARAMETER_CONSTRAINT_VIOLATION SEQUENCE_WRONG_INPUT_TYPES STACK_COLUMN_DIFF_TYPES " +
    "RANGE_FRAME_INVALID_TYPE RANGE_FRAME_MULTI_ORDER RANGE_FRAME_WITHOUT_ORDER SPECIFIED_WINDOW_FRAME_DIFF_TYPES " +
    "SPECIFIED_WINDOW_FRAME_INVALID_BOUND SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON UNEXPECTED_INPUT_TYPE UNSUPPORTED_INPUT_TYPE VALUE_OUT_OF_RANGE"
  ).split(" "),
);
