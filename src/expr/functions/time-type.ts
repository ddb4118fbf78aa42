/**
 * The functions of the TIME type. It is off in Spark by default (UNSUPPORTED_TIME_TYPE), and so it is here: they are known and refused. timestamp_nanos is refused
 * in the same way: timestamps have microseconds.
 */
import { INT, LONG, STRING } from "../../core/data-type.ts";
import type { FunctionDefinition } from "../function.ts";
import { any, decimalLike, oneOf, signature } from "../rules.ts";
import { analysisError, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { family, strict } from "./definition.ts";

const time = family("time");

const refused = (usage: string, least: number, most: number): FunctionDefinition =>
  time(
    usage,
    "Refused: the TIME type is not supported.",
    (args, site) => {
      if (args.length < least || args.length > most)
        throw wrongNumberOfArguments(
          site,
          least === most ? String(least) : `[${least}, ${most}]`,
          args.length,
        );
      throw analysisError("UNSUPPORTED_TIME_TYPE", "The data type TIME is not supported.", site.position);
    },
    strict<[]>(() => null),
  );

const nanos = oneOf(LONG, decimalLike);

export const TIME_TYPE_FUNCTIONS: readonly FunctionDefinition[] = [
  refused("make_time(hour, minute, second)", 3, 3),
  refused("to_time(text[, format])", 1, 2),
  refused("try_to_time(text[, format])", 1, 2),
  refused("current_time([precision])", 0, 1),
  refused("localtime([precision])", 0, 1),
  refused("time(x)", 1, 1),
  refused("time_diff(unit, start, end)", 3, 3),
  refused("time_trunc(unit, time)", 2, 2),
  ...["seconds", "millis", "micros"].flatMap((unit) => [
    refused(`time_from_${unit}(x)`, 1, 1),
    refused(`time_to_${unit}(time)`, 1, 1),
  ]),
  time(
    "timestamp_nanos(x)",
    "Refused: timestamps have microseconds, not nanoseconds.",
    (raw, site) => {
      if (raw[0]?.type.kind === "string") throw unexpectedInput(site, raw, 0, nanos.name);
      signature([nanos], INT)(raw, site);
      throw analysisError(
        "CANNOT_PARSE_DATATYPE",
        "The type TIMESTAMP_LTZ(9) is not supported.",
        site.position,
      );
    },
    strict<[]>(() => null),
  ),
  time(
    "unix_nanos(timestamp)",
    "Refused: no timestamp has nanoseconds.",
    (raw, site) => {
      const base = signature([any], STRING)(raw, site);
      throw unexpectedInput(site, base.args, 0, `("TIMESTAMP_LTZ(9)" or "TIMESTAMP_NTZ(9)")`);
    },
    strict<[]>(() => null),
  ),
];
