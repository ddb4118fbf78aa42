/** Types as functions: `int('7')`, `date('2024-02-29')`: an explicit cast. */
import {
  BINARY,
  BOOLEAN,
  BYTE,
  type DataType,
  DATE,
  decimal,
  DOUBLE,
  FLOAT,
  INT,
  LONG,
  SHORT,
  STRING,
  TIMESTAMP,
} from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { castAllowed, castTo } from "../coercion.ts";
import type { FunctionDefinition } from "../function.ts";
import { mismatch, sqlType, wrongNumberOfArguments } from "../type-errors.ts";
import { family, strict } from "./definition.ts";

const misc = family("misc");

const castFunctionOf = (name: string, type: DataType): FunctionDefinition =>
  misc(
    `${name}(x)`,
    `CAST(x AS ${sqlType(type)}).`,
    (args, site) => {
      if (args.length !== 1) throw wrongNumberOfArguments(site, "1", args.length);
      const from = args[0]!.type;
      if (!castAllowed(from, type))
        throw mismatch(
          "CAST_WITHOUT_SUGGESTION",
          site,
          args,
          `cannot cast "${sqlType(from)}" to "${sqlType(type)}".`,
        );
      return { args: [castTo(args[0]!, type)], type, nullable: args[0]!.nullable };
    },
    strict<[Value]>(([v]) => v),
  );

export const CAST_FUNCTIONS: readonly FunctionDefinition[] = [
  castFunctionOf("boolean", BOOLEAN),
  castFunctionOf("tinyint", BYTE),
  castFunctionOf("smallint", SHORT),
  castFunctionOf("int", INT),
  castFunctionOf("bigint", LONG),
  castFunctionOf("float", FLOAT),
  castFunctionOf("double", DOUBLE),
  castFunctionOf("decimal", decimal(10, 0)),
  castFunctionOf("string", STRING),
  castFunctionOf("binary", BINARY),
  castFunctionOf("date", DATE),
  castFunctionOf("timestamp", TIMESTAMP),
];
