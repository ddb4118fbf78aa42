/** Statements of a SQL script as frozen plain data. Names are parts: `a.b` is ["a", "b"]. Options are keyed without a prototype: any name is only a name. */
import type { DataType, Field } from "../core/data-type.ts";
import type { Schema } from "../core/schema.ts";
import type { Expr, SourcePosition } from "../expr/ast.ts";
import type { SqlFunction, SqlParameter } from "../plan/catalog.ts";
import type { Relation } from "../plan/relation.ts";
import type { ScriptBlock } from "./script.ts";

export type Options = Readonly<Record<string, string>>;

/** A column of CREATE TABLE. */
export interface ColumnDefinition extends Field {
  readonly comment?: string;
  readonly default?: Expr;
}

/** `WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS` */
export interface WatermarkDefinition {
  readonly column: readonly string[];
  readonly delayMs: number;
}

export interface ViewColumn {
  readonly name: string;
  readonly comment?: string;
}

/** `x = expr`; without a value its DEFAULT. */
export interface Assignment {
  readonly name: readonly string[];
  readonly value: Expr | undefined;
  readonly position: SourcePosition;
}

export type ExplainMode = "simple" | "extended" | "codegen" | "cost" | "formatted" | "logical";

export type Statement = {
  readonly position: SourcePosition;
  /** The statement's own text, comments around it left out. */ readonly text: string;
} & StatementBody;

export type StatementBody =
  | { readonly kind: "query"; readonly query: Relation }
  | {
      readonly kind: "createView";
      readonly name: readonly string[];
      readonly columns: readonly ViewColumn[] | undefined;
      readonly query: Relation;
      readonly replace: boolean;
      readonly ifNotExists: boolean;
      /** A view without TEMPORARY is one of the session too: there is no catalog that outlives it. */
      readonly temporary: boolean;
      readonly global: boolean;
      readonly comment: string | undefined;
      readonly properties: Options;
    }
  /** `CREATE TEMPORARY VIEW v (a INT) USING json OPTIONS (path 'x')` */
  | {
      readonly kind: "createViewUsing";
      readonly name: readonly string[];
      readonly schema: Schema | undefined;
      readonly provider: string;
      readonly options: Options;
      readonly replace: boolean;
      readonly global: boolean;
    }
  | {
      readonly kind: "createTable";
      readonly name: readonly string[];
      readonly columns: readonly ColumnDefinition[] | undefined;
      readonly watermark: WatermarkDefinition | undefined;
      /** Lower case: "nats", "json"; undefined when USING is missing. */
      readonly provider: string | undefined;
      readonly options: Options;
      readonly partitionedBy: readonly string[];
      readonly comment: string | undefined;
      readonly properties: Options;
      readonly ifNotExists: boolean;
      readonly replace: boolean;
      readonly temporary: boolean;
      /** CREATE STREAMING TABLE: `query` is started as a streaming query into the table. */
      readonly streaming: boolean;
      readonly query: Relation | undefined;
    }
  | {
      readonly kind: "insert";
      readonly table: readonly string[];
      readonly columns: readonly string[] | undefined;
      readonly byName: boolean;
      readonly overwrite: boolean;
      /** `INSERT INTO t WITH ('outputMode' = 'update') SELECT …` */
      readonly options: Options;
      readonly query: Relation;
    }
  | { readonly kind: "explain"; readonly mode: ExplainMode; readonly statement: Statement }
  | { readonly kind: "describeQuery"; readonly query: Relation }
  | {
      readonly kind: "describeTable";
      readonly name: readonly string[];
      readonly extended: boolean;
      readonly column: readonly string[] | undefined;
    }
  | { readonly kind: "describeFunction"; readonly name: string; readonly extended: boolean }
  /** `pattern` is Spark's: `*` any text, `|` or; without case. */
  | { readonly kind: "show"; readonly what: "tables" | "views"; readonly pattern: string | undefined }
  | {
      readonly kind: "show";
      readonly what: "functions";
      readonly scope: "all" | "system" | "user";
      readonly pattern: string | undefined;
    }
  | { readonly kind: "show"; readonly what: "columns"; readonly table: readonly string[] }
  | { readonly kind: "show"; readonly what: "createTable"; readonly table: readonly string[] }
  /** Without a key all settings are shown, without a value the one of the key. */
  | { readonly kind: "set"; readonly key: string | undefined; readonly value: string | undefined }
  | { readonly kind: "reset"; readonly key: string | undefined }
  | {
      readonly kind: "drop";
      readonly what: "view" | "table";
      readonly name: readonly string[];
      readonly ifExists: boolean;
    }
  | { readonly kind: "cacheTable"; readonly name: readonly string[]; readonly query: Relation | undefined }
  | { readonly kind: "uncacheTable"; readonly name: readonly string[]; readonly ifExists: boolean }
  | { readonly kind: "clearCache" }
  | {
      readonly kind: "declareVariable";
      readonly names: readonly (readonly string[])[];
      readonly type: DataType | undefined;
      readonly default: Expr | undefined;
      readonly replace: boolean;
    }
  | { readonly kind: "setVariables"; readonly assignments: readonly Assignment[] }
  /** `SET VAR (a, b) = (SELECT …)` */
  | {
      readonly kind: "setVariablesOfQuery";
      readonly names: readonly (readonly string[])[];
      readonly query: Relation;
    }
  | { readonly kind: "dropVariable"; readonly name: readonly string[]; readonly ifExists: boolean }
  | {
      readonly kind: "executeImmediate";
      readonly command: Expr;
      readonly into: readonly (readonly string[])[];
      readonly using: readonly { readonly value: Expr; readonly name: string | undefined }[];
    }
  | {
      readonly kind: "createFunction";
      readonly name: readonly string[];
      readonly parameters: readonly SqlParameter[];
      readonly returns: DataType | undefined;
      readonly body: Expr;
      readonly table: SqlFunction["table"];
      readonly comment: string | undefined;
      readonly replace: boolean;
      readonly ifNotExists: boolean;
      readonly temporary: boolean;
    }
  | { readonly kind: "dropFunction"; readonly name: readonly string[]; readonly ifExists: boolean }
  | { readonly kind: "script"; readonly block: ScriptBlock };
