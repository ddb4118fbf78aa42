/**
 * A JSON parser that keeps numbers as their text: the slow path for rows whose numbers a double cannot hold (longs beyond 2^53, long
 * decimals) and for values read as text. It accepts what JSON.parse accepts; callers parse only what JSON.parse took already.
 */

/** A number as it stood in the text. */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  /** Its value when it is an integer in integer form. */
  integer(): bigint | undefined {
    if (/^-?\d+$/.test(this.text)) return BigInt(this.text);
    const n = Number(this.text);
    return Number.isSafeInteger(n) ? BigInt(n) : undefined;
  }
}

/** Nested deeper than this, text is not parsed again exactly (JSON.parse itself takes some thousands). */
const DEPTH_MAX = 1000;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  root(): unknown {
    const value = this.#value();
    this.#space();
    if (this.#at !== this.#text.length) throw new SyntaxError("text after the value");
    return value;
  }

  #space(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      this.#at++;
    }
  }

  #value(): unknown {
    this.#space();
    const c = this.#text[this.#at];
    if (c === "{") return this.#nested(() => this.#object());
    if (c === "[") return this.#nested(() => this.#array());
    if (c === '"') return this.#string();
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    NUMBER.lastIndex = this.#at;
    const m = NUMBER.exec(this.#text);
    if (m === null) throw new SyntaxError(`no value at ${this.#at}`);
    this.#at += m[0].length;
    return new ExactNumber(m[0]);
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > DEPTH_MAX) throw new SyntaxError(`nested deeper than ${DEPTH_MAX}`);
    this.#at++;
    const value = parse();
    this.#depth--;
    return value;
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const c = this.#text[this.#at];
      if (c === undefined) throw new SyntaxError("string without end");
      this.#at += c === "\\" ? 2 : 1;
      if (c === '"') return JSON.parse(this.#text.slice(start, this.#at)) as string;
    }
  }

  #end(close: string): boolean {
    this.#space();
    const c = this.#text[this.#at];
    if (c === close || c === ",") {
      this.#at++;
      return c === close;
    }
    throw new SyntaxError(`expected , or ${close} at ${this.#at}`);
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    this.#space();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return items;
    }
    do items.push(this.#value());
    while (!this.#end("]"));
    return items;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    this.#space();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return object;
    }
    do {
      this.#space();
      const key = this.#string();
      this.#space();
      if (this.#text[this.#at++] !== ":") throw new SyntaxError(`expected : at ${this.#at - 1}`);
      object[key] = this.#value();
    } while (!this.#end("}"));
    return object;
  }
}

/** Parses JSON text; numbers become ExactNumber, objects have no prototype. Throws SyntaxError. */
export const parseExact = (text: string): unknown => new Parser(text).root();

/** A parsed value as compact JSON text, numbers as they stood. */
export const renderJson = (x: unknown): string => {
  if (x instanceof ExactNumber) return x.text;
  if (typeof x === "bigint") return String(x);
  if (x instanceof Date) return Number.isNaN(x.getTime()) ? "null" : x.toISOString();
  if (x instanceof Uint8Array) return Buffer.from(x).toString("base64");
  if (Array.isArray(x)) return `[${x.map(quoteNested).join(",")}]`;
  if (typeof x === "object" && x !== null)
    return `{${(x instanceof Map ? [...x] : Object.entries(x))
      .map(([k, v]) => `${JSON.stringify(String(k))}:${quoteNested(v)}`)
      .join(",")}}`;
  return typeof x === "string" ? x : String(x);
};

const quoteNested = (x: unknown): string =>
  typeof x === "string" || x instanceof Date || x instanceof Uint8Array
    ? JSON.stringify(renderJson(x))
    : renderJson(x);
