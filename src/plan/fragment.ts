/**
 * Fragments: pieces of a physical plan under construction. A fragment is a list of branches with the same columns (a union has several); each
 * branch is an operator tree in a stage that is not closed yet.
 */
import type { Field } from "../core/data-type.ts";
import { field } from "../core/data-type.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { Attribute, Slot, TypedExpr } from "../expr/ast.ts";
import type { CalcStep } from "../expr/contract.ts";
import type { OperatorNode, StageInput } from "../operators/operator.ts";
import { FORK_KIND, type ForkSpec } from "../operators/fork.ts";
import type { SourceSpec } from "../connectors/source.ts";
import type { Edge, StagePlan, WatermarkColumn } from "./physical.ts";
import { replace } from "./typed.ts";

export interface Draft {
  readonly id: number;
  kind: StagePlan["kind"];
  partitioning: StagePlan["partitioning"];
  readonly source: StagePlan["source"];
  readonly inputs: Edge[];
  readonly outputs: Edge[];
}

export interface Branch {
  readonly draft: Draft;
  readonly root: OperatorNode | StageInput;
  readonly output: readonly Attribute[];
}

export interface Fragment {
  readonly branches: readonly Branch[];
  readonly output: readonly Attribute[];
}

export const schemaOfAttributes = (attributes: readonly Attribute[]): Schema =>
  schemaOf(attributes.map((a): Field => field(a.name, a.type, a.nullable)));

export const slotsOf = (attributes: readonly Attribute[]): readonly Slot[] =>
  attributes.map((a, index) => ({ kind: "slot", index, name: a.name, type: a.type, nullable: a.nullable }));

/** An expression over attributes as one over the slots of a batch with these columns. */
export const bind = (expr: TypedExpr, columns: readonly Attribute[]): TypedExpr =>
  replace(expr, (e) => {
    if (e.kind !== "attribute") return undefined;
    const index = columns.findIndex((c) => c.id === e.id);
    if (index < 0)
      throw new Error(
        `column ${e.name}#${e.id} is not among ${columns.map((c) => `${c.name}#${c.id}`).join(", ")}`,
      );
    const slot: Slot = { kind: "slot", index, name: e.name, type: e.type, nullable: e.nullable };
    return slot;
  });

export interface NodeOptions {
  readonly watermarkDelayMs?: number;
  readonly watermarkCapMs?: number;
}

/** Makes drafts, edges and operator nodes with names that are the same for the same plan. */
export class PlanBuilder {
  readonly drafts: Draft[] = [];
  /** Trees of each stage, with the edge they feed. */
  readonly #trees = new Map<Draft, { root: OperatorNode | StageInput; edge: string | undefined }[]>();
  readonly watermarks: WatermarkColumn[] = [];
  readonly #counts = new Map<string, number>();
  #edges = 0;
  #sources = 0;

  draft(kind: StagePlan["kind"], partitioning: StagePlan["partitioning"], spec?: SourceSpec): Draft {
    const source = spec === undefined ? undefined : { id: `s${this.#sources++}`, spec };
    const draft: Draft = { id: this.drafts.length, kind, partitioning, source, inputs: [], outputs: [] };
    this.drafts.push(draft);
    return draft;
  }

  node<Spec>(
    kind: string,
    spec: Spec,
    output: readonly Attribute[],
    inputs: OperatorNode["inputs"],
    options: NodeOptions = {},
  ): OperatorNode {
    const n = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, n + 1);
    return Object.freeze({
      id: `${kind}-${n}`,
      kind,
      spec,
      output: schemaOfAttributes(output),
      inputs,
      watermarkDelayMs: options.watermarkDelayMs ?? 0,
      ...(options.watermarkCapMs === undefined ? {} : { watermarkCapMs: options.watermarkCapMs }),
    });
  }

  /** Puts an operator on every branch; `spec` is made for the branch's own columns. */
  apply<Spec>(
    f: Fragment,
    kind: string,
    spec: (columns: readonly Attribute[]) => Spec,
    output: readonly Attribute[],
    options: NodeOptions = {},
  ): Fragment {
    const branches = f.branches.map((b) => ({
      draft: b.draft,
      root: this.node(kind, spec(b.output), output, [b.root], options),
      output,
    }));
    return { branches, output };
  }

  /** A stateless step; joins the calc below it if there is one, so that a chain is one generated loop. */
  calc(
    f: Fragment,
    step: (columns: readonly Attribute[]) => CalcStep,
    output: readonly Attribute[],
  ): Fragment {
    const branches = f.branches.map((b) => {
      const next = step(b.output);
      const { root } = b;
      if (root.kind === "calc") {
        const below = root as OperatorNode<{ readonly steps: readonly CalcStep[] }>;
        const fused = {
          ...below,
          spec: { steps: [...below.spec.steps, next] },
          output: schemaOfAttributes(output),
        };
        return { draft: b.draft, root: Object.freeze(fused), output };
      }
      return { draft: b.draft, root: this.node("calc", { steps: [next] }, output, [root]), output };
    });
    return { branches, output };
  }

  /** Ends a branch at an edge, or at the sink. */
  close(b: Branch, edge?: string): void {
    const trees = this.#trees.get(b.draft) ?? [];
    trees.push({ root: b.root, edge });
    this.#trees.set(b.draft, trees);
  }

  /** The stage's operators as one tree: a fork where several parts of the query read its source. */
  root(draft: Draft): OperatorNode | StageInput {
    const trees = this.#trees.get(draft)!;
    if (trees.length === 1) return trees[0]!.root;
    const spec: ForkSpec = { edges: trees.map((t) => t.edge!) };
    return this.node(
      FORK_KIND,
      spec,
      [],
      trees.map((t) => t.root),
    );
  }

  /** Closes the branches' stages with edges to `to`, hashed by `keys` (over the fragment's columns). Returns the leaves there. */
  connect(f: Fragment, keys: readonly TypedExpr[], to: Draft): readonly StageInput[] {
    return f.branches.map((b) => {
      const columns = b.output.map((a, i) => ({ ...a, id: f.output[i]!.id }));
      const edge: Edge = Object.freeze({
        id: `e${this.#edges++}`,
        from: b.draft.id,
        to: to.id,
        schema: schemaOfAttributes(b.output),
        hashBy: keys.map((k) => bind(k, columns)),
      });
      this.close(b, edge.id);
      b.draft.outputs.push(edge);
      to.inputs.push(edge);
      return Object.freeze({ kind: "input", edge: edge.id, output: edge.schema });
    });
  }

  /** One branch in `to` with the rows of all leaves. */
  gathered(leaves: readonly StageInput[], output: readonly Attribute[], to: Draft): Branch {
    const root =
      leaves.length === 1 ? leaves[0]! : this.node("union", { ports: leaves.length }, output, leaves);
    return { draft: to, root, output };
  }

  /** Sends the rows to a new stage: by the hash of `keys`, or all to its one actor when there are none. */
  exchange(f: Fragment, keys: readonly TypedExpr[]): Fragment {
    const to = this.draft("stage", keys.length === 0 ? 1 : "keyed");
    const branch = this.gathered(this.connect(f, keys, to), f.output, to);
    return { branches: [branch], output: f.output };
  }
}
