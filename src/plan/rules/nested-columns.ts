/**
 * Structs of a source that are only looked into become columns of their own: `bid.auction` is a column, `bid IS NOT NULL` a boolean one. The source then
 * decodes no struct and none of the fields that nobody reads (Spark's nested schema pruning).
 *
 *  N1 only below a projection or an aggregate with nothing but filters between it and the source, so that no other node names the struct;
 *  N2 a struct that is used as a whole anywhere there stays as it is;
 *  N3 a field of a null struct is null: the columns are nullable.
 */
import type { ColumnPath } from "../../connectors/source.ts";
import { sourceFactory } from "../../connectors/registry.ts";
import { BOOLEAN, type Field } from "../../core/data-type.ts";
import { schemaOf } from "../../core/schema.ts";
import type { Attribute, TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan } from "../logical.ts";
import { childrenOf, expressionsOf, transformUp } from "../nodes.ts";
import { children, not, replace } from "../typed.ts";
import { mapNodeExprs, type Rule } from "./rule.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

/** A column that stands for `field(field(struct, i), j)` or, with presence, for `struct IS NOT NULL`. */
interface Nested {
  readonly attribute: Attribute;
  readonly from: ColumnPath;
}

/** The struct column and the ordinals of the fields under it that an expression names. */
const accessOf = (
  e: TypedExpr,
): { readonly root: Attribute; readonly path: readonly number[] } | undefined => {
  if (e.kind === "attribute") return { root: e, path: [] };
  if (e.kind !== "field" || e.child.type.kind !== "struct") return undefined;
  const inner = accessOf(e.child);
  return inner === undefined ? undefined : { root: inner.root, path: [...inner.path, e.index] };
};

const presenceOf = (e: TypedExpr): TypedExpr | undefined =>
  e.kind === "call" && (e.fn === "isnull" || e.fn === "isnotnull") && e.args[0]!.type.kind === "struct"
    ? e.args[0]
    : undefined;

const keyOf = (id: number, path: readonly number[], presence: boolean): string =>
  `${id}:${path.join(".")}${presence ? "?" : ""}`;

class Flattening {
  /** Struct columns that may be taken apart. */
  readonly #structs: ReadonlyMap<number, Attribute>;
  readonly #whole = new Set<number>();
  readonly #found = new Map<string, Nested>();
  readonly #next: () => number;

  constructor(structs: readonly Attribute[], next: () => number) {
    this.#structs = new Map(structs.map((a) => [a.id, a]));
    this.#next = next;
  }

  /** Notes what an expression reads. */
  visit(e: TypedExpr): void {
    const of = presenceOf(e);
    const access = accessOf(of ?? e);
    if (access === undefined || !this.#structs.has(access.root.id)) children(e).forEach((c) => this.visit(c));
    else if (access.path.length === 0 && of === undefined) this.#whole.add(access.root.id);
    else this.#note(access.root, access.path, of !== undefined, e);
  }

  #note(root: Attribute, path: readonly number[], presence: boolean, e: TypedExpr): void {
    const key = keyOf(root.id, path, presence);
    if (this.#found.has(key)) return;
    const names = [root.name];
    let { type } = root;
    for (const index of path) {
      if (type.kind !== "struct") return;
      names.push(type.fields[index]!.name);
      ({ type } = type.fields[index]!);
    }
    const attribute: Attribute = Object.freeze({
      kind: "attribute",
      id: this.#next(),
      name: presence ? `(${names.join(".")} IS NOT NULL)` : names.join("."),
      type: presence ? BOOLEAN : e.type,
      nullable: !presence,
    });
    this.#found.set(key, { attribute, from: { path: names, presence } });
  }

  /** The new columns of a struct; undefined when it stays. */
  of(struct: Attribute): readonly Nested[] | undefined {
    if (!this.#structs.has(struct.id) || this.#whole.has(struct.id)) return undefined;
    const prefix = `${struct.id}:`;
    return [...this.#found].filter(([key]) => key.startsWith(prefix)).map(([, n]) => n);
  }

  rewrite = (e: TypedExpr): TypedExpr =>
    replace(e, (x) => {
      const of = presenceOf(x);
      const access = accessOf(of ?? x);
      if (access === undefined || this.#whole.has(access.root.id)) return undefined;
      const nested = this.#found.get(keyOf(access.root.id, access.path, of !== undefined));
      if (nested === undefined) return undefined;
      return x.kind === "call" && x.fn === "isnull" ? not(nested.attribute) : nested.attribute;
    });
}

const idsIn = (p: LogicalPlan): number =>
  Math.max(0, ...p.output.map((a) => a.id), ...childrenOf(p).map(idsIn));

const uniqueNames = (fields: readonly Field[]): boolean =>
  new Set(fields.map((f) => f.name)).size === fields.length &&
  fields.every((f) => f.type.kind !== "struct" || uniqueNames(f.type.fields));

const canRead = (p: Of<"source">): boolean =>
  p.source.paths === undefined &&
  p.output.some((a) => a.type.kind === "struct") &&
  uniqueNames((p.source.declared ?? p.source.schema).fields) &&
  sourceFactory(p.source.format).nested?.(p.source.options) === true;

interface SourceColumn {
  readonly attribute: Attribute;
  readonly from: ColumnPath | undefined;
  readonly field: Field;
}

/** The source with the columns of `flat` in the place of its structs. */
const flattened = (p: Of<"source"> & LogicalPlan, flat: Flattening): LogicalPlan => {
  const columns = p.output.flatMap((a, i): readonly SourceColumn[] => {
    const nested = flat.of(a);
    if (nested === undefined) return [{ attribute: a, from: undefined, field: p.source.schema.fields[i]! }];
    return nested.map(({ attribute, from }) => {
      const { name, type, nullable } = attribute;
      return { attribute, from, field: { name, type, nullable } };
    });
  });
  return Object.freeze({
    ...p,
    source: {
      ...p.source,
      schema: schemaOf(columns.map((c) => c.field)),
      declared: p.source.declared ?? p.source.schema,
      paths: columns.map((c) => c.from),
    },
    output: columns.map((c) => c.attribute),
  });
};

const flatten = (p: Of<"project" | "aggregate"> & LogicalPlan, next: () => number): LogicalPlan => {
  const filters: (Of<"filter"> & LogicalPlan)[] = [];
  let below: LogicalPlan = p.child;
  for (; below.kind === "filter"; below = below.child) filters.push(below);
  if (below.kind !== "source" || !canRead(below)) return p;
  const structs = below.output.filter((a) => a.type.kind === "struct");
  const flat = new Flattening(structs, next);
  for (const e of [...expressionsOf(p), ...filters.flatMap(expressionsOf)]) flat.visit(e);
  const source = flattened(below, flat);
  // Nothing could be taken apart, or nobody reads anything: rows need a column to be counted by.
  if (source.output.length === 0 || structs.every((a) => flat.of(a) === undefined)) return p;
  const child = filters.reduceRight<LogicalPlan>((c, f) => {
    const condition = flat.rewrite(f.condition);
    return Object.freeze({ ...f, child: c, condition, output: c.output });
  }, source);
  return mapNodeExprs(Object.freeze({ ...p, child }), flat.rewrite);
};

export const nestedColumns: Rule = {
  name: "nestedColumns",
  apply: (plan) => {
    let used = idsIn(plan);
    const next = (): number => ++used;
    return transformUp(plan, (p) =>
      p.kind === "project" || (p.kind === "aggregate" && p.session === undefined) ? flatten(p, next) : p,
    );
  },
};
