/**
 * The full rules of JSON decoding, a record at a time by JSON.parse: for records that the generated decoder does not take, and the law for those it
 * does. Also the way from column buffers to the columns of a batch.
 */
import { type Value } from "../../core/value.ts";
import { type Vector, valueAt } from "../../core/vector.ts";
import type { ColumnBuffer } from "./column-buffer.ts";
import type { ValueConverter } from "./conversion.ts";
import { ExactNumber } from "./json-exact.ts";
import type { Output, StructNode, TreeNode } from "./json-tree.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (x: unknown): x is JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x) && !(x instanceof ExactNumber);

/** The records of a JSON text, or why it holds none; undefined for a blank text. */
export const recordsOf = (text: string): readonly JsonObject[] | string | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (e) {
    return text.trim() === "" ? undefined : (e as Error).message;
  }
  if (isObject(value)) return [value];
  return Array.isArray(value) && value.every(isObject) ? value : "not a JSON object";
};

/** Sets the columns of one row from an object; gives the first problem. */
export class RowSetter {
  readonly #roots: readonly TreeNode[];
  readonly #converter: ValueConverter;

  constructor(roots: readonly TreeNode[], converter: ValueConverter) {
    this.#roots = roots;
    this.#converter = converter;
  }

  set(columns: readonly ColumnBuffer[], row: number, object: JsonObject): string | undefined {
    const converter = this.#converter;
    let problem: string | undefined;
    converter.needsExact = false;
    for (const root of this.#roots) {
      converter.problem = undefined;
      this.#node(columns, row, root, Object.hasOwn(object, root.name) ? object[root.name] : null);
      if (converter.problem !== undefined) problem ??= `column ${root.name}: ${String(converter.problem)}`;
    }
    return problem;
  }

  #node(columns: readonly ColumnBuffer[], row: number, node: TreeNode, x: unknown): void {
    if (node.kind === "leaf") columns[node.column]!.set(row, this.#converter.convert(x, node.type));
    else this.#struct(columns, row, node, x);
  }

  #struct(columns: readonly ColumnBuffer[], row: number, node: StructNode, x: unknown): void {
    const fields = node.type.kind === "struct" ? node.type.fields : [];
    const fits = isObject(x) || (Array.isArray(x) && x.length === fields.length);
    columns[node.column]!.set(row, fits ? true : null);
    // Says what is wrong with it.
    if (!fits) this.#converter.convert(x, node.type);
    for (const child of node.children) {
      const value = !fits
        ? null
        : Array.isArray(x)
          ? (x as unknown[])[fields.findIndex((f) => f.name === child.name)]
          : Object.hasOwn(x, child.name)
            ? (x as JsonObject)[child.name]
            : null;
      this.#node(columns, row, child, value);
    }
  }
}

const nodeVector = (node: TreeNode, columns: readonly ColumnBuffer[], rows: number): Vector => {
  const own = columns[node.column]!;
  if (node.kind === "leaf") return own.vector(rows);
  const children = node.children.map((c) => nodeVector(c, columns, rows));
  const data: Value[] = new Array<Value>(rows).fill(null);
  let nulls: Uint8Array | undefined;
  for (let i = 0; i < rows; i++) {
    if (own.bools[i] === 0) (nulls ??= new Uint8Array(rows))[i] = 1;
    else {
      const value: Value[] = new Array<Value>(children.length);
      for (let c = 0; c < children.length; c++) value[c] = valueAt(children[c]!, i);
      data[i] = value;
    }
  }
  return { layout: "any", data, nulls };
};

/** The column of a batch of so many rows. */
export const outputVector = (
  output: Output,
  columns: readonly ColumnBuffer[],
  corrupt: ColumnBuffer | undefined,
  rows: number,
): Vector => {
  if (output.kind === "corrupt") return corrupt!.vector(rows);
  if (output.kind === "node") return nodeVector(output.node, columns, rows);
  return { layout: "bool", data: columns[output.node.column]!.bools.subarray(0, rows), nulls: undefined };
};
