/** SQL scripts: BEGIN … END with variables, handlers, IF, CASE, WHILE, REPEAT, LOOP, FOR, LEAVE and ITERATE. */
import type { Expr } from "../expr/ast.ts";
import type { ScriptBlock, ScriptHandler, ScriptNode } from "./script.ts";
import type { Statement } from "./statement.ts";
import type { Parser } from "./token-stream.ts";

/** Whether a block begins: `BEGIN`, inside of another one `label: BEGIN` too. */
const atBlock = (p: Parser): boolean =>
  p.at("BEGIN") || (p.peek().kind === "word" && p.atOp(":", 1) && p.peek(2).upper === "BEGIN");

/** In front of a SQLSTATE among the conditions of a handler. */
const STATE = "SQLSTATE ";

type StatementRule = (p: Parser, inside: boolean) => Statement;

/** The rules of scripts over the rule of one statement. */
export class ScriptParser {
  readonly #p: Parser;
  readonly #statement: StatementRule;

  constructor(p: Parser, statement: StatementRule) {
    this.#p = p;
    this.#statement = statement;
  }

  block(): ScriptBlock {
    const p = this.#p;
    const label = this.#label();
    p.expect("BEGIN");
    p.accept("NOT", "ATOMIC");
    p.scripts++;
    const handlers: ScriptHandler[] = [];
    const body: ScriptNode[] = [];
    while (!p.at("END")) {
      const handler = this.#declared();
      if (handler === undefined) body.push(this.#part(body, handlers.length > 0));
      else if (handler !== "condition") handlers.push(this.#other(handlers, handler));
      p.expectOp(";");
    }
    p.expect("END");
    p.scripts--;
    this.#endLabel(label);
    return { kind: "block", label, body, handlers };
  }

  #label(): string | undefined {
    const p = this.#p;
    if (p.peek().kind === "op" || !p.atOp(":", 1)) return undefined;
    const label = p.identifier("a label").toLowerCase();
    p.expectOp(":");
    return label;
  }

  /** The label may stand behind END again. */
  #endLabel(label: string | undefined): void {
    const p = this.#p;
    if (p.peek().kind !== "word" && p.peek().kind !== "quoted") return;
    const token = p.peek();
    const end = p.identifier("a label");
    if (end.toLowerCase() === label) return;
    throw p.error(
      label === undefined ? "END_LABEL_WITHOUT_BEGIN_LABEL" : "LABELS_MISMATCH",
      `The label ${end} behind END is not the one in front.`,
      token,
    );
  }

  /** DECLARE … HANDLER and DECLARE … CONDITION; a DECLARE of variables is a statement. */
  #declared(): ScriptHandler | "condition" | undefined {
    const p = this.#p;
    if (!p.at("DECLARE")) return undefined;
    if (p.peek(2).upper === "CONDITION") {
      p.next();
      p.identifier("a condition's name");
      p.next();
      // only SIGNAL could raise it, which does not exist: an error of its SQLSTATE is another condition
      if (p.accept("FOR")) this.#condition();
      return "condition";
    }
    if (p.peek(2).upper !== "HANDLER") return undefined;
    p.next();
    const action = p.expectAny(["EXIT", "CONTINUE"]) === "EXIT" ? "exit" : "continue";
    p.expect("HANDLER", "FOR");
    const start = p.peek();
    const conditions = p.list(() => this.#condition());
    const refused = (errorClass: string, message: string): Error =>
      p.error(errorClass, `Invalid handler declaration. ${message}`, start);
    const twice = conditions.find((c, i) => conditions.indexOf(c) < i);
    if (twice !== undefined)
      throw refused(
        twice.startsWith(STATE)
          ? "INVALID_HANDLER_DECLARATION.DUPLICATE_SQLSTATE_IN_HANDLER_DECLARATION"
          : "INVALID_HANDLER_DECLARATION.DUPLICATE_CONDITION_IN_HANDLER_DECLARATION",
        `Found duplicate ${twice}.`,
      );
    if (conditions.length > 1 && conditions.some((c) => c === "SQLEXCEPTION" || c === "NOT FOUND"))
      throw refused(
        "INVALID_HANDLER_DECLARATION.INVALID_CONDITION_COMBINATION",
        "SQLEXCEPTION and NOT FOUND cannot be used together with other conditions.",
      );
    return { action, conditions, body: this.#node() };
  }

  /** The handler, where none before it in the block is for one of its conditions. */
  #other(before: readonly ScriptHandler[], handler: ScriptHandler): ScriptHandler {
    const twice = handler.conditions.find((c) => before.some((h) => h.conditions.includes(c)));
    if (twice === undefined) return handler;
    throw this.#p.error(
      twice.startsWith(STATE)
        ? "DUPLICATE_EXCEPTION_HANDLER.SQLSTATE"
        : "DUPLICATE_EXCEPTION_HANDLER.CONDITION",
      `Found duplicate handlers for ${twice}. Please, remove one of them.`,
    );
  }

  #condition(): string {
    const p = this.#p;
    if (p.accept("SQLSTATE")) {
      p.accept("VALUE");
      const token = p.peek();
      const state = p.string("a SQLSTATE");
      if (!/^[A-Za-z0-9]{5}$/.test(state) || /^(?:00|01|XX)/.test(state))
        throw p.error("INVALID_SQLSTATE", `Invalid SQLSTATE value: '${state}'.`, token);
      return STATE + state;
    }
    if (p.accept("NOT", "FOUND")) return "NOT FOUND";
    return p.multipart("a condition").join(".").toUpperCase();
  }

  /** A part of a block; its variables are declared before anything else. */
  #part(before: readonly ScriptNode[], handled: boolean): ScriptNode {
    const p = this.#p;
    const start = p.peek();
    const declares = p.at("DECLARE");
    const isDeclaration = (n: ScriptNode): boolean =>
      n.kind === "statement" && n.statement.kind === "declareVariable";
    if (declares && (handled || !before.every(isDeclaration)))
      throw p.error(
        "INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING",
        "Invalid variable declaration: it can only be at the beginning of a block.",
        start,
      );
    if (declares && p.at("DECLARE", "OR"))
      throw p.error(
        "INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE",
        "Invalid variable declaration: DECLARE OR REPLACE is for variables of the session.",
        start,
      );
    if (p.at("DROP", "TEMPORARY", "VARIABLE"))
      throw p.error(
        "UNSUPPORTED_FEATURE.SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE",
        "DROP TEMPORARY VARIABLE is not supported within SQL scripts.",
        start,
        "EXECUTE IMMEDIATE 'DROP TEMPORARY VARIABLE …' may do it",
      );
    return this.#node();
  }

  #node(): ScriptNode {
    const p = this.#p;
    return p.nested(() => this.#anyNode());
  }

  #anyNode(): ScriptNode {
    const p = this.#p;
    if (atBlock(p)) return this.block();
    if (p.atOp(":", 1) && ["WHILE", "REPEAT", "LOOP", "FOR"].includes(p.peek(2).upper))
      return this.#looping(this.#label());
    switch (p.peek().upper) {
      case "IF":
        return this.#ifElse();
      case "CASE":
        return this.#choice();
      case "WHILE":
      case "REPEAT":
      case "LOOP":
      case "FOR":
        return this.#looping(undefined);
      case "LEAVE":
      case "ITERATE": {
        const kind = p.next().upper === "LEAVE" ? "leave" : "iterate";
        return { kind, label: p.identifier("a label").toLowerCase() };
      }
      default:
        return { kind: "statement", statement: this.#statement(p, true) };
    }
  }

  /** Statements up to one of the words. */
  #body(...ends: readonly string[]): ScriptNode[] {
    const p = this.#p;
    const nodes: ScriptNode[] = [];
    while (!ends.includes(p.peek().upper)) {
      nodes.push(this.#node());
      p.expectOp(";");
    }
    return nodes;
  }

  #ifElse(): ScriptNode {
    const p = this.#p;
    p.expect("IF");
    const branches: (readonly [Expr, readonly ScriptNode[]])[] = [];
    do {
      const condition = p.grammar.expression(p);
      p.expect("THEN");
      branches.push([condition, this.#body("ELSEIF", "ELSE", "END")]);
    } while (p.accept("ELSEIF"));
    const otherwise = p.accept("ELSE") ? this.#body("END") : undefined;
    p.expect("END", "IF");
    return { kind: "if", branches, otherwise };
  }

  #choice(): ScriptNode {
    const p = this.#p;
    p.expect("CASE");
    const subject = p.at("WHEN") ? undefined : p.grammar.expression(p);
    const branches: (readonly [Expr, readonly ScriptNode[]])[] = [];
    while (p.accept("WHEN")) {
      const when = p.grammar.expression(p);
      const condition: Expr =
        subject === undefined
          ? when
          : { kind: "call", fn: "=", args: [subject, when], position: when.position };
      p.expect("THEN");
      branches.push([condition, this.#body("WHEN", "ELSE", "END")]);
    }
    if (branches.length === 0) throw p.unexpected("WHEN");
    const otherwise = p.accept("ELSE") ? this.#body("END") : undefined;
    p.expect("END", "CASE");
    return { kind: "if", branches, otherwise };
  }

  #looping(label: string | undefined): ScriptNode {
    const p = this.#p;
    const word = p.expectAny(["WHILE", "REPEAT", "LOOP", "FOR"]);
    if (word === "FOR") return this.#forEach(label);
    const condition = word === "WHILE" ? p.grammar.expression(p) : undefined;
    if (word === "WHILE") p.expect("DO");
    const body = this.#body(word === "REPEAT" ? "UNTIL" : "END");
    const until = p.accept("UNTIL") ? p.grammar.expression(p) : undefined;
    p.expect("END", word);
    this.#endLabel(label);
    return { kind: "loop", label, condition, until, body };
  }

  #forEach(label: string | undefined): ScriptNode {
    const p = this.#p;
    const variable = p.peek(1).upper === "AS" ? p.identifier("a variable") : undefined;
    if (variable !== undefined) p.expect("AS");
    const query = p.grammar.query(p);
    p.expect("DO");
    const body = this.#body("END");
    p.expect("END", "FOR");
    this.#endLabel(label);
    return { kind: "for", label, variable, query, body };
  }
}
