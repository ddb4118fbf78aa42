/** typeof, raise_error, assert_true, version and other functions about the query itself. */
import { BOOLEAN, INT, LONG, NULL, STRING, typeName } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { any, signature } from "../rules.ts";
import { unexpectedInput } from "../type-errors.ts";
import { custom, failure, family, plain } from "./definition.ts";

const misc = family("misc");

const raise = (message: string): never => {
  throw failure("USER_RAISED_EXCEPTION", message);
};

const raiseClass = (errorClass: string): never => {
  throw failure(errorClass, "a subquery used as an expression gave more than one row");
};

const collationRule: TypeRule = (args, site) => {
  const kind = args[0]?.type.kind;
  if (args.length === 1 && kind !== "string" && kind !== "null")
    throw unexpectedInput(site, args, 0, `"STRING"`);
  return signature([any], STRING, { nullable: false })(args, site);
};

export const INTROSPECTION_FUNCTIONS: readonly FunctionDefinition[] = [
  misc(
    "typeof(x)",
    "The name of the argument's type.",
    // The argument is not computed: what it fails with does not matter.
    (args, site) => {
      const r = signature([any], STRING, { nullable: false })(args, site);
      const value = typeName(r.args[0]!.type);
      return { ...r, replacement: { kind: "literal", value, type: STRING, nullable: false } };
    },
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
    "current_path()",
    "Where names of functions and tables are looked for.",
    signature([], STRING, { nullable: false }),
    plain(() => "system.builtin,system.session,spark_catalog.default"),
  ),
  misc(
    "current_user()",
    "The user: a session has none of its own, so always the same.",
    signature([], STRING, { nullable: false }),
    plain(() => "millrace"),
    { aliases: ["user", "session_user"] },
  ),
  misc(
    "collation(str)",
    "The collation of a string: they all compare by their bytes.",
    collationRule,
    custom<[]>(() => "SYSTEM.BUILTIN.UTF8_BINARY"),
    { examples: [["collation('Spark SQL')", "SYSTEM.BUILTIN.UTF8_BINARY"]] },
  ),
  misc(
    "input_file_name()",
    "The file of the row; empty where the source has none.",
    signature([], STRING, { nullable: false }),
    plain(() => ""),
    { deterministic: false },
  ),
];
