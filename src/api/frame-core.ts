/** What every frame has: its relation, its session, and what the analyser says of it. Immutable: each verb makes a new frame. */
import { type DataType, typeName } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import { schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { analyse } from "../plan/analyse.ts";
import type { SessionCatalog } from "../plan/catalog.ts";
import type { LogicalPlan } from "../plan/logical.ts";
import type { Relation } from "../plan/relation.ts";
import type { SessionRuntime } from "../query/runtime.ts";

/** What frames ask of their session. */
export interface FrameSession {
  readonly name: string;
  readonly timeZone: string;
  readonly compatibility: "extended" | "spark";
  readonly catalog: SessionCatalog;
  /** Made at the first call. */
  runtime(): Promise<SessionRuntime>;
  print(text: string): void;
}

export interface Collected {
  readonly schema: Schema;
  readonly rows: readonly Row[];
}

export class FrameCore {
  /** The unresolved plan. */
  readonly relation: Relation;
  readonly session: FrameSession;
  #plan: LogicalPlan | undefined;

  constructor(session: FrameSession, relation: Relation) {
    this.session = session;
    this.relation = Object.freeze(relation);
  }

  /** The analysed plan, once. Throws AnalysisError. */
  protected analysed(): LogicalPlan {
    const { catalog, timeZone, compatibility } = this.session;
    return (this.#plan ??= analyse(this.relation, catalog, { timeZone, compatibility }));
  }

  /** The columns with their types (Spark: `schema`). Analyses the frame: throws AnalysisError, runs nothing. */
  get schema(): Schema {
    return schemaOf(this.analysed().output.map(({ name, type, nullable }) => ({ name, type, nullable })));
  }

  /** Names of the columns, in order. */
  get columns(): readonly string[] {
    return this.schema.fields.map((f) => f.name);
  }

  /** Whether a source of it is a stream. */
  get isStreaming(): boolean {
    return this.analysed().streaming;
  }

  /** Refuses a stream where rows are asked for at once. */
  protected requireBatch(verb: string): void {
    if (this.isStreaming)
      throw new AnalysisError(
        `${verb}: Queries with streaming sources must be executed with writeStream.start().`,
        { errorClass: "_LEGACY_ERROR_TEMP_3102", hint: "read the source with `read` for a batch query" },
      );
  }

  protected async run(verb: string, relation: Relation): Promise<Collected> {
    this.requireBatch(verb);
    const runtime = await this.session.runtime();
    return runtime.collect(relation, this.session.catalog);
  }
}

const line = (name: string, type: DataType, nullable: boolean, indent: string, what = "nullable"): string =>
  `${indent}|-- ${name}: ${treeName(type)} (${what} = ${nullable})\n${nested(type, `${indent}|    `)}`;

const treeName = (type: DataType): string =>
  type.kind === "int"
    ? "integer"
    : ["struct", "array", "map", "long", "byte", "short"].includes(type.kind)
      ? type.kind
      : typeName(type);

const nested = (type: DataType, indent: string): string => {
  switch (type.kind) {
    case "struct":
      return type.fields.map((f) => line(f.name, f.type, f.nullable, indent)).join("");
    case "array":
      return line("element", type.element, type.containsNull, indent, "containsNull");
    case "map":
      return (
        `${indent}|-- key: ${treeName(type.key)}\n${nested(type.key, `${indent}|    `)}` +
        line("value", type.value, type.valueContainsNull, indent, "valueContainsNull")
      );
    default:
      return "";
  }
};

/** Spark's `treeString` of a schema. */
export const treeText = (schema: Schema): string =>
  `root\n${schema.fields.map((f) => line(f.name, f.type, f.nullable, " ")).join("")}`;
