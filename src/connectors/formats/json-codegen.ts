/**
 * Generates the decoder of a record tree: a function from the bytes of one JSON object straight into column buffers.
 *
 *  G1 It reads a record completely (what nobody reads is skipped, but checked) or says FAIL; then the caller decodes it with JSON.parse, which must
 *     give the same for every record that this function takes. G2 Names are compared as numbers (words of their UTF-8 bytes): no name gets into the
 *     source. G3 A field that comes twice is FAIL: JSON.parse takes the last one. G4 Null flags are written when the record is complete.
 */
import type { ColumnBuffer } from "./column-buffer.ts";
import type { ByteStrings } from "./byte-strings.ts";
import * as scan from "./json-scan.ts";
import type { LeafNode, RecordTree, StructNode, TreeNode } from "./json-tree.ts";

/** Reads the object at `p`: the position behind it, or FAIL. `newline`: 10 where line feeds are blanks, else 32. */
export type ReadRecord = (
  b: Uint8Array,
  v: DataView,
  p: number,
  end: number,
  row: number,
  newline: number,
) => number;

export interface GeneratedDecoder {
  /** Takes the buffers that the next records go to. */
  readonly bind: (columns: readonly ColumnBuffer[]) => void;
  readonly read: ReadRecord;
  readonly source: string;
}

/** What generated code calls beside `json-scan.ts`. */
export interface TimeTexts {
  /** Milliseconds of the text at `p` (behind its quote), NaN when it is none; the cursor is behind it. */
  timestamp(b: Uint8Array, v: DataView, p: number, end: number): number;
  timestampNtz(b: Uint8Array, v: DataView, p: number, end: number): number;
  date(b: Uint8Array, v: DataView, p: number, end: number): number;
}

/** Leaves above which the function would be too large to be compiled well. */
const LEAVES_MAX = 400;
const MASK_BITS = 30;

const encodable = (name: string): boolean =>
  Buffer.from(name).toString() === name && !name.includes("\ufffd");
const names = (nodes: readonly TreeNode[]): boolean =>
  nodes.every((n) => encodable(n.name) && (n.kind === "leaf" || names(n.children)));

const fieldOfLayout: Readonly<Record<string, string>> = {
  bool: "bools",
  i32: "ints",
  dict: "ints",
  f64: "doubles",
};
const RANGES: Partial<Record<string, number>> = { byte: 128, short: 32_768, int: 2_147_483_648 };

const bit = (k: number): number => 1 << (k % MASK_BITS);
const mask = (prefix: string, k: number): string => `${prefix}${Math.floor(k / MASK_BITS)}`;

class Generator {
  readonly lines: string[] = [];
  readonly #tree: RecordTree;
  readonly #columns: readonly ColumnBuffer[];
  #labels = 0;

  constructor(tree: RecordTree, columns: readonly ColumnBuffer[]) {
    this.#tree = tree;
    this.#columns = columns;
  }

  #line(text: string): void {
    this.lines.push(text);
  }

  /** Whether the bytes of a name of length n stand at `k`. */
  #matches(name: string): string {
    const bytes = Buffer.from(name);
    const n = bytes.length;
    if (n < 4) return Array.from(bytes, (c, i) => `b[k + ${i}] === ${c}`).join(" && ") || "true";
    const tests: string[] = [];
    for (let i = 0; i < n; i += 4) {
      const at = Math.min(i, n - 4);
      tests.push(`v.getInt32(k + ${at}, true) === ${bytes.readInt32LE(at)}`);
    }
    return tests.join(" && ");
  }

  /** The fields of an object whose brace is behind `p`. */
  object(children: readonly TreeNode[]): void {
    const label = this.#labels++;
    this.#line("if (b[p] <= 32) p = space(b, p, newline);");
    this.#line("if (b[p] === 125) p++;");
    this.#line(`else for (;;) {`);
    this.#line("if (b[p] !== 34) return -1;");
    this.#line("k = ++p;");
    this.#line("while ((c = b[p]) > 34 && c !== 92) p++;");
    this.#line(
      "if (c !== 34) { if (c !== 32 && c !== 33) return -1; p = plainEnd(b, p, end); if (b[p] !== 34) return -1; }",
    );
    this.#line("n = p++ - k;");
    this.#line("if (b[p] !== 58) { p = space(b, p, newline); if (b[p] !== 58) return -1; }");
    this.#line("if (b[++p] <= 32) p = space(b, p, newline);");
    this.#line(`field${label}: {`);
    this.#dispatch(children, `field${label}`);
    this.#line("if ((p = skipValue(b, v, p, end, newline)) < 0) return -1;");
    this.#line("}");
    this.#line("if (b[p] <= 32) p = space(b, p, newline);");
    this.#line("c = b[p++];");
    this.#line("if (c === 44) { if (b[p] <= 32) p = space(b, p, newline); }");
    this.#line("else if (c === 125) break; else return -1;");
    this.#line("}");
  }

  #dispatch(children: readonly TreeNode[], label: string): void {
    const byLength = new Map<number, TreeNode[]>();
    for (const child of children) {
      const n = Buffer.byteLength(child.name);
      byLength.set(n, [...(byLength.get(n) ?? []), child]);
    }
    if (byLength.size === 0) return;
    this.#line("switch (n) {");
    for (const [n, nodes] of byLength) {
      this.#line(`case ${n}:`);
      for (const node of nodes) {
        this.#line(`if (${this.#matches(node.name)}) {`);
        const seen = mask("s", node.column);
        this.#line(`if (${seen} & ${bit(node.column)}) return -1;`);
        this.#line(`${seen} |= ${bit(node.column)};`);
        this.#value(node);
        this.#line(`break ${label};`);
        this.#line("}");
      }
      this.#line("break;");
    }
    this.#line("}");
  }

  #value(node: TreeNode): void {
    this.#line("if (b[p] === 110) { if ((p = word(v, p, end, NULL_WORD)) < 0) return -1; }");
    this.#line("else {");
    if (node.kind === "struct") this.#struct(node);
    else this.#leaf(node);
    this.#line(`${mask("h", node.column)} |= ${bit(node.column)};`);
    this.#line("}");
  }

  #struct(node: StructNode): void {
    this.#line("if (b[p] !== 123) return -1;");
    this.#line("p++;");
    this.object(node.children);
    this.#line(`d${node.column}[row] = 1;`);
  }

  /**
   * Digits in two halves of machine integers; a plain integer goes to column k and `instead` is for all other values.
   */
  #digits(k: number, instead: () => void): void {
    this.#line("k = p; n = 0; c = b[p];");
    this.#line("while (c >= 48 && c <= 57 && p - k < 9) { n = (n * 10 + (c - 48)) | 0; c = b[++p]; }");
    this.#line("x = n;");
    this.#line("if (p - k === 9) {");
    this.#line("n = 0;");
    this.#line("while (c >= 48 && c <= 57 && p - k < 15) { n = (n * 10 + (c - 48)) | 0; c = b[++p]; }");
    this.#line("x = x * POWERS[p - k - 9] + n;");
    this.#line("}");
    this.#line(`if ((c === 44 || c === 125) && p > k && (b[k] !== 48 || p === k + 1)) d${k}[row] = x;`);
    this.#line("else {");
    this.#line("p = k;");
    instead();
    this.#line("}");
  }

  #leaf(node: LeafNode): void {
    const k = node.column;
    const { kind } = node.type;
    switch (kind) {
      case "boolean":
        this.#line("if ((x = truth(v, p, end)) < 0) return -1;");
        break;
      case "byte":
      case "short":
      case "int":
        this.#line("x = integer(b, p);");
        this.#line(`if (!(x >= -${RANGES[kind]} && x < ${RANGES[kind]})) return -1;`);
        break;
      case "long":
        this.#digits(k, () => {
          this.#line("x = integer(b, p);");
          this.#line("if (x !== x) {");
          this.#line("const w = wideInteger(b, p);");
          this.#line("if (w === undefined) return -1;");
          this.#line(`c${k}.setWide(row, w);`);
          this.#line(`} else d${k}[row] = x;`);
          this.#line("p = cursor[0];");
        });
        return;
      case "float":
      case "double":
        this.#line("x = real(b, p);");
        this.#line("if (x !== x) return -1;");
        if (kind === "float") this.#line("x = Math.fround(x);");
        break;
      case "timestamp":
      case "timestamp_ntz":
        this.#digits(k, () => {
          const read = kind === "timestamp" ? "timestamp" : "timestampNtz";
          this.#line(`if (b[p] === 34) x = times.${read}(b, v, p + 1, end);`);
          this.#line("else x = real(b, p) + 0;");
          this.#line("if (x - x !== 0) return -1;");
          this.#line(`d${k}[row] = x; p = cursor[0];`);
        });
        return;
      case "date":
        this.#line("if (b[p] !== 34 || (x = times.date(b, v, p + 1, end)) !== x) return -1;");
        break;
      case "string":
        this.#line(`if (b[p] !== 34 || (x = t${k}.read(b, v, p + 1, end)) < 0) return -1;`);
        break;
      default:
        this.#line("return -1;");
        return;
    }
    this.#line(`d${k}[row] = x; p = cursor[0];`);
  }

  /** Null flags and zeros of the columns that the record does not have. */
  nulls(): void {
    const masks = Math.ceil(this.#tree.leaves.length / MASK_BITS);
    for (let m = 0; m < masks; m++) {
      const of = this.#columns.slice(m * MASK_BITS, (m + 1) * MASK_BITS);
      const all = of.reduce((a, _c, i) => a | (1 << i), 0);
      this.#line(`if (h${m} !== ${all}) {`);
      of.forEach((column, i) => {
        const k = m * MASK_BITS + i;
        const zero = column.layout === "any" ? "" : ` d${k}[row] = 0;`;
        this.#line(`if ((h${m} & ${bit(k)}) === 0) { n${k}[row] = 1;${zero} }`);
      });
      this.#line("}");
    }
  }

  masks(): string {
    const masks = Math.ceil(this.#tree.leaves.length / MASK_BITS);
    return Array.from({ length: masks }, (_, m) => `s${m} = 0, h${m} = 0`).join(", ");
  }

  head(): void {
    this.#line('"use strict";');
    this.#line(
      "const { space, word, truth, integer, wideInteger, real, plainEnd, skipValue, cursor, NULL_WORD, POWERS } = scan;",
    );
    this.#columns.forEach((column, k) => {
      this.#line(`let c${k}, n${k}${column.layout === "any" ? "" : `, d${k}`};`);
      if (column.layout === "dict") this.#line(`const t${k} = strings[${k}];`);
    });
    this.#line("const bind = (columns) => {");
    this.#columns.forEach((column, k) => {
      const data = fieldOfLayout[column.layout];
      this.#line(
        `c${k} = columns[${k}]; n${k} = c${k}.nulls;${data === undefined ? "" : ` d${k} = c${k}.${data};`}`,
      );
    });
    this.#line("};");
  }
}

/** The decoder of a tree; undefined when it is better left to JSON.parse. `strings` has an entry for each string leaf. */
export const generateDecoder = (
  tree: RecordTree,
  columns: readonly ColumnBuffer[],
  strings: readonly (ByteStrings | undefined)[],
  times: TimeTexts,
): GeneratedDecoder | undefined => {
  if (tree.leaves.length === 0 || tree.leaves.length > LEAVES_MAX || !names(tree.roots)) return undefined;
  const g = new Generator(tree, columns);
  g.head();
  g.lines.push("const read = (b, v, p, end, row, newline) => {");
  g.lines.push(`let ${g.masks()}, c = 0, k = 0, n = 0, x = 0;`);
  g.lines.push("if (b[p] !== 123) return -1;", "p++;");
  g.object(tree.roots);
  g.nulls();
  g.lines.push("return p;", "};", "return { bind, read };");
  const source = indented(g.lines);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the generated decoder; see G2
  const make = new Function("scan", "strings", "times", source) as (
    ...args: unknown[]
  ) => Omit<GeneratedDecoder, "source">;
  return { ...make(scan, strings, times), source };
};

const indented = (lines: readonly string[]): string => {
  let depth = 0;
  return lines
    .map((line) => {
      if (line.startsWith("}")) depth--;
      const text = `${"  ".repeat(Math.max(0, depth))}${line}`;
      if (line.endsWith("{")) depth++;
      return text;
    })
    .join("\n");
};
