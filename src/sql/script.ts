/** SQL scripts (BEGIN … END) as frozen plain data. Labels are lower case. */
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import type { Statement } from "./statement.ts";

export interface ScriptHandler {
  /** EXIT leaves the block of the handler, CONTINUE goes on behind the statement that failed. */
  readonly action: "exit" | "continue";
  /** Upper case: error classes, `SQLSTATE 22012`, `SQLEXCEPTION`, `NOT FOUND`. */
  readonly conditions: readonly string[];
  readonly body: ScriptNode;
}

export interface ScriptBlock {
  readonly kind: "block";
  readonly label: string | undefined;
  readonly body: readonly ScriptNode[];
  readonly handlers: readonly ScriptHandler[];
}

export type ScriptNode =
  | ScriptBlock
  | { readonly kind: "statement"; readonly statement: Statement }
  | {
      readonly kind: "if";
      readonly branches: readonly (readonly [Expr, readonly ScriptNode[]])[];
      readonly otherwise: readonly ScriptNode[] | undefined;
    }
  | {
      readonly kind: "loop";
      readonly label: string | undefined;
      /** WHILE: before each round. */
      readonly condition: Expr | undefined;
      /** REPEAT: behind each round. */
      readonly until: Expr | undefined;
      readonly body: readonly ScriptNode[];
    }
  | {
      readonly kind: "for";
      readonly label: string | undefined;
      readonly variable: string | undefined;
      readonly query: Relation;
      readonly body: readonly ScriptNode[];
    }
  | { readonly kind: "leave" | "iterate"; readonly label: string };
