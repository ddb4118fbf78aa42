/** `v:a.b[0]['c']`: a value inside a variant, as `variant_get(v, '$.a.b[0][''c'']')` under the name of its last key. */
import { STRING } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

/** Whether the path of a variant follows. */
export const atVariantPath = (p: Parser): boolean =>
  p.atOp(":") && (p.atOp("[", 1) || ["word", "quoted"].includes(p.peek(1).kind));

/** `[0]` or `['key']`; the bracket is next. */
const bracket = (p: Parser): { readonly step: string; readonly name?: string } => {
  p.expectOp("[");
  const token = p.next();
  if (token.kind !== "string" && !(token.kind === "number" && /^\d+$/.test(token.text)))
    throw p.unexpected("an index or a quoted key");
  p.expectOp("]");
  return token.kind === "string"
    ? { step: `['${token.text}']`, name: token.text }
    : { step: `[${token.text}]` };
};

/** The path behind `child`; the colon is next. */
export const variantPath = (p: Parser, child: Expr, start: Token): Expr => {
  p.expectOp(":");
  let path = "$";
  let name: string | undefined;
  const key = (): void => {
    const text = p.identifier("a key of the variant");
    path += `.${text}`;
    name = text.split(".").at(-1);
  };
  if (!p.atOp("[")) key();
  for (;;) {
    if (p.atOp("[")) {
      const b = bracket(p);
      path += b.step;
      name = b.name ?? name;
    } else if (p.acceptOp(".")) key();
    else break;
  }
  const position = p.position(start);
  const literal: Expr = { kind: "literal", value: path, type: STRING, position };
  const get: Expr = { kind: "call", fn: "variant_get", args: [child, literal], position };
  return name === undefined ? get : { kind: "alias", child: get, names: [name], position };
};
