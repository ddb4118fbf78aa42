/** Properties and options: `(path = 'x', 'a.b' 'c', max.rows 10, flag true)`. Values are kept as text. */
import type { Parser } from "./token-stream.ts";
import type { Options } from "./statement.ts";

const propertyKey = (p: Parser): string =>
  p.peek().kind === "string" ? p.string() : p.multipart("a property's name").join(".");

const propertyValue = (p: Parser): string => {
  const token = p.peek();
  if (token.kind === "string") {
    let text = "";
    while (p.peek().kind === "string") text += p.next().text;
    return text;
  }
  if (p.acceptOp("-")) {
    if (p.peek().kind !== "number") throw p.unexpected("a number");
    return `-${p.next().text}`;
  }
  if (token.kind === "number") return p.next().text;
  const word = p.acceptAny(["TRUE", "FALSE"]);
  if (word !== undefined) return word.toLowerCase();
  const message = "A property's value must be a string, a number, TRUE or FALSE.";
  throw p.error("INVALID_PROPERTY_VALUE", message, token);
};

/** A list of properties in parentheses; a key without a value is refused, a key given twice too. */
export const properties = (p: Parser): Options => {
  const found = Object.create(null) as Record<string, string>;
  p.parenthesized(() => {
    const token = p.peek();
    const key = propertyKey(p);
    if (key in found) throw p.error("DUPLICATE_KEY", `Found duplicate keys \`${key}\`.`, token);
    p.acceptOp("=");
    found[key] = propertyValue(p);
  });
  return found;
};

export const noOptions = (): Options => Object.create(null) as Options;
