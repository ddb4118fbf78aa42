/**
 * What a JSON decoder reads: the fields of records that columns come from, as a tree. Structs are taken apart into their fields (leaves, a column
 * buffer each) and, for columns that are whole structs, put together again for a batch at a time.
 */
import type { DataType } from "../../core/data-type.ts";
import { sameType } from "../../core/data-type.ts";
import type { Schema } from "../../core/schema.ts";
import type { ColumnPath } from "../source.ts";

interface Node {
  readonly name: string;
  readonly type: DataType;
}
/** A value of one column buffer; `column` is its number. */
export interface LeafNode extends Node {
  readonly kind: "leaf";
  readonly column: number;
}
/** An object of which some fields are read; `column` is the buffer (boolean) that says where it is not null. */
export interface StructNode extends Node {
  readonly kind: "struct";
  readonly column: number;
  readonly children: TreeNode[];
}
export type TreeNode = LeafNode | StructNode;

/** How a column of the schema comes from the tree. */
export type Output =
  | { readonly kind: "corrupt" }
  | { readonly kind: "node"; readonly node: TreeNode }
  | { readonly kind: "presence"; readonly node: StructNode };

export interface RecordTree {
  readonly roots: readonly TreeNode[];
  readonly outputs: readonly Output[];
  /** Types and names of the column buffers. */
  readonly leaves: readonly { readonly name: string; readonly type: DataType }[];
}

const BOOLEAN: DataType = { kind: "boolean" };

class TreeBuilder {
  readonly roots: TreeNode[] = [];
  readonly leaves: { name: string; type: DataType }[] = [];

  #buffer(path: readonly string[], type: DataType): number {
    return this.leaves.push({ name: path.join("\0"), type }) - 1;
  }

  /** The node of `path` among `siblings`; made when there is none. A struct is made without children. */
  node(siblings: TreeNode[], path: readonly string[], type: DataType): TreeNode {
    const name = path.at(-1)!;
    const found = siblings.find((n) => n.name === name);
    if (found !== undefined) {
      if (!sameType(found.type, type)) throw new TypeError(`two columns of different types read ${name}`);
      return found;
    }
    const node: TreeNode =
      type.kind === "struct"
        ? { kind: "struct", name, type, column: this.#buffer(path, BOOLEAN), children: [] }
        : { kind: "leaf", name, type, column: this.#buffer(path, type) };
    siblings.push(node);
    return node;
  }

  /** All fields of a struct, below it. */
  whole(node: TreeNode, path: readonly string[]): TreeNode {
    if (node.kind === "struct" && node.type.kind === "struct")
      for (const f of node.type.fields)
        this.whole(this.node(node.children, [...path, f.name], f.type), [...path, f.name]);
    return node;
  }
}

const fieldType = (types: Schema, path: readonly string[]): DataType => {
  let fields = types.fields;
  let type: DataType | undefined;
  for (const name of path) {
    type = fields.find((f) => f.name === name)?.type;
    if (type === undefined) throw new TypeError(`no field ${path.join(".")} in the declared schema`);
    fields = type.kind === "struct" ? type.fields : [];
  }
  return type!;
};

/** The tree of a schema. `declared` has the types along `paths`; column `corrupt` (or -1) is not read from records. */
export const recordTree = (
  schema: Schema,
  declared: Schema,
  paths: readonly (ColumnPath | undefined)[] | undefined,
  corrupt: number,
): RecordTree => {
  const builder = new TreeBuilder();
  const outputs = schema.fields.map((f, i): Output => {
    if (i === corrupt) return { kind: "corrupt" };
    const from = paths?.[i];
    if (from === undefined)
      return { kind: "node", node: builder.whole(builder.node(builder.roots, [f.name], f.type), [f.name]) };
    let siblings = builder.roots;
    let node: TreeNode | undefined;
    from.path.forEach((_name, k) => {
      const path = from.path.slice(0, k + 1);
      node = builder.node(siblings, path, fieldType(declared, path));
      siblings = node.kind === "struct" ? node.children : [];
    });
    if (!from.presence) return { kind: "node", node: builder.whole(node!, from.path) };
    return { kind: "presence", node: node as StructNode };
  });
  return { roots: builder.roots, outputs, leaves: builder.leaves };
};
