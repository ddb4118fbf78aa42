/** `quote`: a text as a SQL literal. */
import { STRING } from "../../core/data-type.ts";
import type { FunctionDefinition } from "../function.ts";
import { signature } from "../rules.ts";
import { family, strict } from "./definition.ts";

const string = family("string");

export const QUOTE_FUNCTIONS: readonly FunctionDefinition[] = [
  string(
    "quote(str)",
    "The text in single quotes, those inside escaped by backslashes: a literal of SQL.",
    signature([STRING], STRING),
    strict<[string]>(([text]) => `'${text.replaceAll("'", "\\'")}'`),
    { examples: [["quote('Don\\'t')", "'Don\\'t'"]] },
  ),
];
