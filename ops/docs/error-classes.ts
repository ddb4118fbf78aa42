/** What each error class means and what to do about it: Spark's classes by their first part, in the order of the alphabet. */

/** [class, what it says and what helps] */
export const ERROR_CLASSES: readonly (readonly [string, string])[] = [
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
    "DATATYPE_MISMATCH",
    "An argument or condition has a type that does not fit; the subclass says how. Cast it to what the message asks for.",
  ],
  ["DATATYPE_MISSING_SIZE", "CHAR and VARCHAR need a length."],
  [
    "DATETIME_FIELD_OUT_OF_BOUNDS",
    "A part of a date or time is outside of its range (month 13). `try_make_timestamp` and its like give null.",
  ],
  ["DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "A decimal has at most 38 digits."],
  ["DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "Window functions take no DISTINCT."],
  [
    "DIVIDE_BY_ZERO",
    "Division by zero is an error, as in ANSI SQL. `try_divide` gives null; so does dividing by `nullif(x, 0)`.",
  ],
  ["DUPLICATED_CTE_NAMES", "WITH defines a name twice."],
  ["DUPLICATED_MAP_KEY", "A map was built with one key twice."],
  ["DUPLICATE_CLAUSES", "A clause of CREATE TABLE stands twice."],
  ["DUPLICATE_KEY", "An option or property stands twice."],
  ["DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT", "A named argument is given twice."],
  [
    "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
    "A watermark needs a column of type timestamp. Convert it with `withColumn` first.",
  ],
  ["EXCEPT_OVERLAPPING_COLUMNS", "`* EXCEPT (…)` names a column and a part of it. Name only one of them."],
  [
    "EXPECT_TABLE_NOT_VIEW",
    "The statement writes to a table; the name is a view. Declare the target with CREATE TABLE … USING.",
  ],
  ["EXPECT_VIEW_NOT_TABLE", "The statement is about views; the name is a table. Use DROP TABLE."],
  [
    "FAILED_EXECUTE_UDF",
    "A user function threw. The message has the function, the row's place in the input and the cause; `onError` says what becomes of such rows.",
  ],
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
  ["ILLEGAL_DAY_OF_WEEK", "The text is no day of the week (`MON`, `monday`)."],
  [
    "ILLEGAL_SEQUENCE_BOUNDARIES",
    "`sequence` cannot get from its start to its stop by this step: the step is 0, or has the wrong sign.",
  ],
  ["ILLEGAL_STATE_STORE_VALUE", "State cannot hold null. Remove the entry instead."],
  [
    "INCOMPATIBLE_COLUMN_TYPE",
    "The two sides of a set operation have columns whose types have nothing in common. Cast one of them.",
  ],
  ["INCOMPATIBLE_DATA_FOR_TABLE", "The rows of an INSERT do not fit the columns of the table."],
  [
    "INCONSISTENT_BEHAVIOR_CROSS_VERSION",
    "A date pattern has a letter whose meaning changed between versions of Spark. Use one of the present letters.",
  ],
  ["INITIAL_STATE_KEY_MISMATCH", "The initial state has other key columns than the grouping."],
  ["INPUT_SIZE_NOT_ONE", "The replacement must be one character."],
  [
    "INSERT_COLUMN_ARITY_MISMATCH",
    "INSERT gives another number of columns than the table, or its list of columns, has.",
  ],
  ["INTERVAL_ARITHMETIC_OVERFLOW", "The interval is too long to hold."],
  ["INTERVAL_DIVIDED_BY_ZERO", "An interval was divided by zero. `try_divide` gives null."],
  ["INVALID_AGGREGATE_FILTER", "FILTER (WHERE …) of an aggregate holds an aggregate or a window function."],
  ["INVALID_ARG_VALUE", "The argument is none of the values that the function knows."],
  [
    "INVALID_ARRAY_INDEX",
    "The index is outside of the array. `get(xs, i)` gives null instead; indexes in brackets begin at 0.",
  ],
  [
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
    "The index is outside of the array. `try_element_at` gives null instead; indexes of `element_at` begin at 1.",
  ],
  ["INVALID_CONF_VALUE", "A setting has a value that it does not take."],
  ["INVALID_DATETIME_PATTERN", "A date pattern holds a letter that has no meaning. Quote text: `yyyy'T'HH`."],
  ["INVALID_DECIMAL_SCALE", "The scale of a decimal is negative or above its precision."],
  ["INVALID_ESCAPE_CHAR", "ESCAPE takes one character."],
  ["INVALID_EXTRACT", "EXTRACT needs a source it can take the field from."],
  ["INVALID_EXTRACT_BASE_FIELD_TYPE", "`x.field` or `x[key]` on a value that has no parts."],
  ["INVALID_EXTRACT_FIELD", "EXTRACT does not know this field."],
  [
    "INVALID_FORMAT",
    "A number format of `to_number` or `to_char` is malformed, or the text does not fit it.",
  ],
  ["INVALID_FRACTION_OF_SECOND", "The seconds are 60 or more, or have more than six decimals."],
  [
    "INVALID_GROUP_STATE_OPERATION",
    "A method of group state that its settings do not allow: for example a timeout without a timeout mode.",
  ],
  ["INVALID_IDENTIFIER", "A name with a dash must be quoted with backquotes."],
  ["INVALID_INDEX_OF_ZERO", "`element_at` counts from 1; 0 is no index."],
  [
    "INVALID_INLINE_TABLE",
    "The rows of VALUES differ in length, or a column of theirs has types with nothing in common.",
  ],
  ["INVALID_INTERVAL_FORMAT", "The text is no interval of the fields named."],

  [
    "INVALID_LAMBDA_FUNCTION_CALL",
    "A lambda `x -> …` stands where the function takes none, or has the wrong number of parameters.",
  ],
  ["INVALID_LIMIT_LIKE_EXPRESSION", "LIMIT and OFFSET take a constant whole number from 0."],
  ["INVALID_MAP_KEY_TYPE", "A map cannot have maps as keys."],
  ["INVALID_NUMERIC_LITERAL_RANGE", "The number is outside of the range of its suffix's type."],
  ["INVALID_OPTION", "A function's options hold a name or value that it does not take."],
  ["INVALID_OPTIONS", "Options are written as `map('name', 'value')`."],
  [
    "INVALID_ORDERING_TYPE",
    "The values of this type have no order (maps, variants): they cannot be sorted or compared.",
  ],
  [
    "INVALID_PARAMETER_VALUE",
    "An argument has a value that the function does not take; the subclass says which.",
  ],
  ["INVALID_PROPERTY_VALUE", "The value of an option must be a text, a number, TRUE or FALSE."],
  ["INVALID_RECURSIVE_CTE", "A recursive WITH must be a start UNION ALL a step, and is for batch queries."],
  ["INVALID_SAVE_MODE", "`write.mode` takes `error` or `append`."],
  ["INVALID_SCHEMA", "The text given as a schema is none."],
  ["INVALID_SET_SYNTAX", "Write `SET key = value`; quote a key with special characters by backquotes."],
  ["INVALID_SQL_SYNTAX", "The syntax is not for this function; the subclass says which."],
  [
    "INVALID_SUBQUERY_EXPRESSION",
    "A subquery used as a value must give one column; it cannot read a stream.",
  ],
  ["INVALID_TABLESAMPLE_FRACTION", "TABLESAMPLE takes 0 to 100 percent."],
  [
    "INVALID_TIMER",
    "A timer of transformWithState needs a time mode, and in event time lies after the watermark.",
  ],
  ["INVALID_TIMEZONE", "There is no such zone. Use a region (`Europe/Berlin`) or an offset (`+02:00`)."],
  ["INVALID_TYPED_LITERAL", "The text of a DATE, TIMESTAMP or X literal is malformed."],
  ["INVALID_UDF_RESULT", "A user function gave a value that its declared type cannot hold."],
  ["INVALID_URL", "The text is no URL. `try_parse_url` gives null."],
  ["INVALID_USAGE_OF_STAR_OR_REGEX", "`*` stands where one value is due."],
  ["INVALID_UTF8_STRING", "The bytes are no UTF-8."],
  [
    "INVALID_VARIANT_CAST",
    "A variant holds another kind of value than asked for. `try_variant_get` gives null.",
  ],
  ["INVALID_VARIANT_GET_PATH", "The path is malformed. It begins with `$`: `$.a[0]`."],
  [
    "INVALID_VARIANT_PATH",
    "A path of a variant function begins with `$` and has one segment or more: `$.a[0]['b']`.",
  ],
  ["INVALID_WATERMARK", "WATERMARK FOR c AS … takes the column itself, or the column minus an interval."],
  ["INVALID_WATERMARK_DELAY", "The delay of a watermark is negative or no duration."],
  [
    "INVALID_WHERE_CONDITION",
    "WHERE holds an aggregate, window or generator function. Use HAVING, or a subquery.",
  ],
  [
    "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC",
    "Percentiles and ordered lists take a window's whole partition: no ORDER BY and no frame.",
  ],
  [
    "INVALID_WITHIN_GROUP_EXPRESSION",
    "The function needs WITHIN GROUP (ORDER BY …), or takes another number of orders.",
  ],
  ["JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "The condition of a join must be boolean."],
  [
    "LATE_ROWS_WITHOUT_STATE",
    "`late()` stands above an operator that refuses no rows. Call it on the frame of a windowed aggregate, a join or a deduplication.",
  ],
  ["MALFORMED_CHARACTER_CODING", "A text cannot be encoded or decoded in this charset."],
  [
    "MALFORMED_RECORD_IN_PARSING",
    "An input row does not fit the schema, and `mode` is failFast. `permissive` gives nulls, `dropMalformed` leaves it out.",
  ],
  ["MAP_FROM_ARRAYS_LENGTH_MISMATCH", "`map_from_arrays` takes as many keys as values."],
  ["MAP_ZIP_WITH_DIFF_TYPES", "`map_zip_with` takes two maps whose keys have one type."],
  [
    "MISSING_AGGREGATION",
    "A column stands beside aggregates and is no key. Add it to GROUP BY, or take `any_value(c)`.",
  ],
  ["MISSING_GROUP_BY", "HAVING, or an aggregate beside plain columns, without GROUP BY."],
  ["MISSING_WINDOW_SPECIFICATION", "OVER names a window that WINDOW does not define."],
  ["MULTI_ALIAS_WITHOUT_GENERATOR", "Several names in AS (a, b) are for generator functions."],
  ["NESTED_AGGREGATE_FUNCTION", "An aggregate inside an aggregate. Compute the inner one in a subquery."],
  [
    "NESTED_WINDOW_FUNCTION",
    "A window function inside a window function. Compute the inner one in a subquery.",
  ],
  ["NON_FOLDABLE_ARGUMENT", "The argument must be a constant."],
  ["NON_LITERAL_PIVOT_VALUES", "The values of PIVOT must be literals."],
  [
    "NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING",
    "`row_number() OVER` and its like need all rows. On a stream use time windows, `dropDuplicates`, `max_by`, or state of your own.",
  ],
  ["NOT_A_TABLE_FUNCTION", "The function is known, but makes no rows: it cannot stand in FROM."],
  [
    "NOT_NULL_CONSTRAINT_VIOLATION",
    "A column that is not nullable got no value. Declare it with `.nullable()`, or give one.",
  ],
  ["NULL_MAP_KEY", "A map cannot have null as a key."],
  [
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "The number does not fit the decimal type. Give it more digits, or use `try_cast`.",
  ],
  ["NUM_COLUMNS_MISMATCH", "The two sides of a set operation have different numbers of columns."],
  ["ORDER_BY_POS_OUT_OF_RANGE", "ORDER BY names an item by a number that SELECT does not have."],
  ["PARSE_EMPTY_STATEMENT", "There is no statement in the text."],
  [
    "PARSE_SYNTAX_ERROR",
    "The text is no SQL at the place of the caret; the message says what was expected there.",
  ],
  [
    "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION",
    "An item of `|> AGGREGATE` holds no aggregate function. Move it to GROUP BY, or aggregate it.",
  ],
  [
    "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION",
    "`|> SELECT`, `|> EXTEND`, `|> SET` and `|> WHERE` take no aggregate functions. Use `|> AGGREGATE`.",
  ],
  ["PIVOT_VALUE_DATA_TYPE_MISMATCH", "A value of PIVOT has another type than its column."],
  [
    "QUALIFY_REQUIRES_WINDOW_FUNCTION",
    "QUALIFY filters by window functions: without one use WHERE or HAVING.",
  ],
  [
    "RECURSION_LEVEL_LIMIT_EXCEEDED",
    "A recursive WITH did not end within the limit of steps. Its step needs a condition that ends it.",
  ],
  ["RECURSION_ROW_LIMIT_EXCEEDED", "A recursive WITH made more rows than the limit."],
  ["RECURSIVE_VIEW", "A view refers to itself."],
  ["REMAINDER_BY_ZERO", "The remainder of a division by zero. `try_mod` gives null."],
  ["ROUTINE_NOT_FOUND", "LATERAL VIEW names no function."],
  [
    "SCALAR_SUBQUERY_TOO_MANY_ROWS",
    "A subquery used as a value gave several rows. Use an aggregate, LIMIT 1, or IN.",
  ],
  [
    "SEED_EXPRESSION_IS_UNFOLDABLE",
    "A random function takes a constant seed, not one that depends on the row.",
  ],
  [
    "STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE",
    "State variables are made in `init`; their values and timers are used in the handlers.",
  ],
  [
    "STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE",
    "Timers and times to live need a `timeMode`.",
  ],
  [
    "STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED",
    "A processor made two state variables of one name.",
  ],
  ["STATEFUL_PROCESSOR_TTL_DURATION_MUST_BE_POSITIVE", "A time to live is above 0 ms."],
  ["STATE_STORE_HANDLE_NOT_INITIALIZED", "A state variable was used before `init` made it."],
  [
    "STATE_VALUE_INVALID",
    "The value is no plain data, or does not fit the declared type of its state variable.",
  ],
  [
    "STATE_VALUE_NOT_FOUND",
    "`get()` of a state variable that has no value. Ask `exists()` first, or use `getOption()`.",
  ],
  [
    "STATE_VALUE_TOO_LARGE",
    "A value of state is above the limit of one value. Split it over a list or map variable.",
  ],
  [
    "STREAMING_OUTPUT_MODE",
    "The output mode is unknown, or one that this query cannot have: see [output modes](output-modes.md).",
  ],
  ["TABLE_OR_VIEW_ALREADY_EXISTS", "The name is taken. Use CREATE OR REPLACE, or IF NOT EXISTS."],
  ["TABLE_OR_VIEW_NOT_FOUND", "No table, view or CTE has this name here; the message lists near ones."],
  ["TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "The name is taken. Use CREATE OR REPLACE."],
  ["TRAILING_COMMA_IN_SELECT", "A comma stands before FROM."],
  ["UDF_RESULT_TYPE", "A user function gave a value that its declared type cannot hold."],
  ["UDF_TIMEOUT", "A `mapAsync` function took longer than its timeout, in all of its tries."],
  ["UDTF_ALIAS_NUMBER_MISMATCH", "A generator gives another number of columns than its alias names."],
  [
    "UNBOUND_SQL_PARAMETER",
    "The text has `:name`, and no value was given for it: `mill.sql(text, { name: value })`.",
  ],
  ["UNCLOSED_BRACKETED_COMMENT", "`/*` without `*/`."],
  ["UNEXPECTED_INPUT_TYPE", "The argument has a type that the function does not take."],
  ["UNEXPECTED_NULL", "The argument must not be null."],
  ["UNEXPECTED_POSITIONAL_ARGUMENT", "An argument by position stands after a named one."],
  ["UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", "Use UNION ALL in a recursive WITH."],
  ["UNPIVOT_REQUIRES_VALUE_COLUMNS", "UNPIVOT names no columns of values."],
  ["UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "The columns of UNPIVOT have types with nothing in common."],
  ["UNPIVOT_VALUE_SIZE_MISMATCH", "The groups of UNPIVOT have different numbers of columns."],
  ["UNRESOLVABLE_TABLE_VALUED_FUNCTION", "The arguments do not fit the table function."],
  [
    "UNRESOLVED_ALL_IN_GROUP_BY",
    "GROUP BY ALL cannot tell the keys: an item mixes an aggregate with columns outside of it. Name the keys.",
  ],
  ["UNRESOLVED_COLUMN", "No column has this name here; the message has the nearest ones."],
  [
    "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES",
    "The frame has no column of this name; the message has the nearest ones.",
  ],
  [
    "UNRESOLVED_ROUTINE",
    "There is no function of this name. SHOW FUNCTIONS lists them; a user function is made with `mill.udf`.",
  ],
  ["UNRESOLVED_USING_COLUMN_FOR_JOIN", "One side of the join has no such column."],
  [
    "UNSAFE_INTEGER",
    "A long outside ±2^53 would lose digits as a JavaScript number. Declare the column as `t.bigint`, or cast it to string.",
  ],
  ["UNSUPPORTED_DATATYPE", "The type does not exist here."],
  [
    "UNSUPPORTED_EXPR_FOR_OPERATOR",
    "The expression cannot stand in this clause; the message says which one takes it.",
  ],
  ["UNSUPPORTED_EXPR_FOR_WINDOW", "Only aggregates and window functions can have OVER."],
  ["UNSUPPORTED_FEATURE", "Spark has this, Millrace does not; the subclass says what."],
  [
    "UNSUPPORTED_GENERATOR",
    "A generator function stands inside an expression, or beside another. It is a whole item of SELECT, or stands in LATERAL VIEW.",
  ],
  ["UNSUPPORTED_GROUPING_EXPRESSION", "`grouping` and `grouping_id` need GROUPING SETS, CUBE or ROLLUP."],
  ["UNSUPPORTED_JOIN_TYPE", "There is no join of this kind."],
  ["UNSUPPORTED_OVERWRITE", "INSERT OVERWRITE is for tables in memory."],
  ["UNSUPPORTED_SHOW_CREATE_TABLE", "A temporary view has no CREATE TABLE."],
  [
    "UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK",
    'With `compatibility: "spark"`: EXCEPT in append mode needs a watermarked column among its columns, as in Spark.',
  ],
  [
    "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY",
    "A correlated subquery of a kind that cannot be turned into a join. Write the join.",
  ],
  [
    "UNSUPPORTED_TIME_TYPE",
    "The TIME type is off in Spark by default and not supported here; use a timestamp, a string or an interval.",
  ],
  [
    "UNSUPPORTED_TYPED_LITERAL",
    "`TYPE 'text'` is for DATE, TIMESTAMP, TIMESTAMP_NTZ, TIMESTAMP_LTZ, INTERVAL and X.",
  ],
  ["USER_RAISED_EXCEPTION", "`raise_error` or `assert_true` was reached: the query says so itself."],
  ["VARIANT_DUPLICATE_KEY", "The object in the variant has this key already."],
  [
    "VARIANT_PATH_TYPE_MISMATCH",
    "The path meets a value of another kind in the variant; the `try_` function gives null there.",
  ],
  ["VARIANT_SIZE_LIMIT", "The path has an index that would make a variant of unreasonable size."],
  ["WINDOW_FUNCTION_FRAME_NOT_ORDERED", "The window function needs ORDER BY in its OVER."],
  [
    "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE",
    "Window functions cannot stand in WHERE or HAVING: use QUALIFY, or a subquery.",
  ],
  ["WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "The function needs OVER (…)."],
  [
    "WRITE_STREAM_NOT_ALLOWED",
    "`writeStream` needs a stream. Read the source with `readStream`, or use `write`.",
  ],
  ["WRONG_NUM_ARGS", "The function takes another number of arguments; the message says how many."],
  ["_LEGACY_ERROR_TEMP_1031", "A window function stands inside an aggregate function."],
  ["_LEGACY_ERROR_TEMP_1035", "A rank or an offset has a frame of its own and takes no other."],
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
    "FILTER_NOT_BOOLEAN HASH_MAP_TYPE MAP_FROM_ENTRIES_WRONG_TYPE MAP_FUNCTION_DIFF_TYPES " +
    "NON_FOLDABLE_INPUT NULL_TYPE PARAMETER_CONSTRAINT_VIOLATION SEQUENCE_WRONG_INPUT_TYPES STACK_COLUMN_DIFF_TYPES " +
    "RANGE_FRAME_INVALID_TYPE RANGE_FRAME_MULTI_ORDER RANGE_FRAME_WITHOUT_ORDER SPECIFIED_WINDOW_FRAME_DIFF_TYPES " +
    "SPECIFIED_WINDOW_FRAME_INVALID_BOUND SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON UNEXPECTED_INPUT_TYPE VALUE_OUT_OF_RANGE"
  ).split(" "),
);
