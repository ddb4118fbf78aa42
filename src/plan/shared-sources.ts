/**
 * One read of a source that a query names several times: source nodes over the same input become one source stage that reads the columns of all of
 * them, and whose rows go into a tree of operators for each (`forkKind`).
 *
 * Same input: same format, options, declared columns and handle. What was pushed into one of them is dropped: filters stand above the source all the same.
 */
import type { ColumnPath, SourceSpec } from "../connectors/source.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { LogicalPlan } from "./logical.ts";
import { walk } from "./nodes.ts";

type SourceNode = Extract<LogicalPlan, { kind: "source" }>;

/** The input as the stage reads it, and where a node's columns are in it; undefined where it has just these. */
export interface SharedSource {
  readonly spec: SourceSpec;
  readonly columns: readonly number[] | undefined;
}

const declaredOf = (s: SourceSpec): Schema => s.declared ?? s.schema;

const sameOptions = (a: SourceSpec["options"], b: SourceSpec["options"]): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((n) => Object.hasOwn(b, n) && a[n] === b[n]);
};

const sameInput = (a: SourceSpec, b: SourceSpec): boolean =>
  a.handle === b.handle &&
  a.format === b.format &&
  sameOptions(a.options, b.options) &&
  JSON.stringify(declaredOf(a)) === JSON.stringify(declaredOf(b));

const columnKey = (s: SourceSpec, i: number): string =>
  JSON.stringify([s.schema.fields[i]!.name, s.paths?.[i]]);

const merged = (
  specs: readonly SourceSpec[],
): { spec: SourceSpec; columns: readonly (readonly number[])[] } => {
  const fields: Schema["fields"][number][] = [];
  const paths: (ColumnPath | undefined)[] = [];
  const at = new Map<string, number>();
  const columns = specs.map((s) =>
    s.schema.fields.map((f, i) => {
      const key = columnKey(s, i);
      const known = at.get(key);
      if (known !== undefined) return known;
      at.set(key, fields.length);
      paths.push(s.paths?.[i]);
      return fields.push(f) - 1;
    }),
  );
  const { paths: _, ...first } = specs[0]!;
  const nested = paths.some((p) => p !== undefined) ? { paths } : {};
  const spec = { ...first, ...nested, schema: schemaOf(fields), declared: declaredOf(first), pushed: [] };
  return { spec: Object.freeze(spec), columns };
};

/** By node, for those that share their input with another one; the nodes of one input have the same `spec` object. */
export const sharedSources = (plan: LogicalPlan): ReadonlyMap<LogicalPlan, SharedSource> => {
  const groups: SourceNode[][] = [];
  walk(plan, (p) => {
    if (p.kind !== "source" || !p.streaming) return;
    const group = groups.find((g) => sameInput(g[0]!.source, p.source));
    if (group === undefined) groups.push([p]);
    else group.push(p);
  });
  const out = new Map<LogicalPlan, SharedSource>();
  for (const group of groups) {
    if (group.length < 2) continue;
    const { spec, columns } = merged(group.map((p) => p.source));
    group.forEach((p, i) => {
      const all = columns[i]!.length === spec.schema.fields.length && columns[i]!.every((c, k) => c === k);
      out.set(p, { spec, columns: all ? undefined : columns[i]! });
    });
  }
  return out;
};
