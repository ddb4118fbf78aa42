/** typeof, raise_error, assert_true, version and other functions about the query itself. */
import { BOOLEAN, INT, LONG, NULL, STRING, typeName } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { FunctionDefinition } from "../function.ts";
import { any, signature } from "../rules.ts";
import { custom, failure, family, plain } from "./definition.ts";

const misc = family("misc");

const raise = (message: string): never => {
  throw failure("USER_RAISED_EXCEPTION", message);
};

const raiseClass = (errorClass: string): never => {
  throw failure(errorClass, "a subquery used as an expression gave more than one row");
};

export const INTROSPECTION_FUNCTIONS: readonly FunctionDefinition[] = [
  misc(
    "typeof(x)",
    "The name of the argument's type.",
    signature([any], STRING, { nullable: false }),
    custom<[Value]>((_, call) => typeName(call.argTypes[0]!)),
    {
      examples: [
        ["typeof(1)", "int"],
        ["typeof(array(1))", "array<int>"],
      ],
    },
  ),
  misc(
    "raise_error(message)",
    "Fails with a message.",
    signature([STRING], NULL, { nullable: true }),
    // With a second argument, which SQL cannot give, the first is the error class: a subquery of several rows.
    custom<[string | null, Value | undefined]>(([m, own]) =>
      own === undefined ? raise(m ?? "null") : raiseClass(m ?? "USER_RAISED_EXCEPTION"),
    ),
    { deterministic: false },
  ),
  misc(
    "assert_true(condition[, message])",
    "Null when the condition is true, else a failure.",
    signature([BOOLEAN, STRING], NULL, { optional: 1, nullable: true }),
    custom<[boolean | null, string | null | undefined]>(([c, m]) =>
      c === true ? null : raise(m ?? "'condition' is not true!"),
    ),
    { deterministic: false },
  ),
  misc(
    "version()",
    "The version of Spark whose functions these are, and a revision.",
    signature([], STRING, { nullable: false }),
    plain(() => "4.3.0 millrace"),
    { deterministic: false },
  ),
  misc(
    "monotonically_increasing_id()",
    "An increasing number; one of a batch's literals only.",
    signature([], LONG, { nullable: false }),
    custom<[]>(() => 0),
    { deterministic: false },
  ),
  misc(
    "spark_partition_id()",
    "The partition; expressions know none, so 0.",
    signature([], INT, { nullable: false }),
    custom<[]>(() => 0),
    { deterministic: false },
  ),
  misc(
    "current_database()",
    "The only database.",
    signature([], STRING, { nullable: false }),
    plain(() => "default"),
    { aliases: ["current_schema"] },
  ),
  misc(
    "current_catalog()",
    "The only catalog.",
    signature([], STRING, { nullable: false }),
    plain(() => "spark_catalog"),
  ),
  misc(
    "input_file_name()",
    "The file of the row; empty where the source has none.",
    signature([], STRING, { nullable: false }),
    plain(() => ""),
    { deterministic: false },
  ),
];
