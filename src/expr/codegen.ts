/**
 * The pieces of generated code: bound values, fresh names, blocks of statements, columns read once a block.
 *
 * G1: names and literals of the user never become source text; `bind` hands values in as arguments.
 * G2: a `Code`'s `value` and `isNull` are names or constants, so they may be used many times; `value` means nothing where `isNull` holds.
 * G3: in safe mode longs are JS numbers; in exact mode numbers or bigints (canonical).
 */
import type { DataType } from "../core/data-type.ts";
import type { Layout } from "../core/vector.ts";
import type { TypedExpr } from "./ast.ts";
import { canonicalLong } from "../core/value.ts";
import { Shapes } from "./compile-shared.ts";

/** A computed value in the generated loop. `isNull`: undefined = never; "true" = always. */
export interface Code {
  readonly value: string;
  readonly isNull: string | undefined;
}

/** What the loop knows of an input column when it is generated. */
export interface InputColumn {
  readonly layout: Layout;
  readonly nulls: boolean;
  /** Dictionary small beside the rows: functions of this column alone are computed once an entry. */
  readonly memo: boolean;
  /** Its strings are bytes of which texts are made when asked for. */
  readonly bytes: boolean;
}

/** A column as a step of the chain sees it: one of the batch, or computed before. */
export type ChainColumn = { readonly input: number } | { readonly code: Code };

/** The value a variable holds while it is null, so that it keeps its machine type. */
export const zeroOf = (type: DataType): string => {
  switch (type.kind) {
    case "boolean":
      return "false";
    case "string":
      return '""';
    case "byte":
    case "short":
    case "int":
    case "long":
    case "float":
    case "double":
    case "date":
    case "timestamp":
    case "timestamp_ntz":
    case "dayTimeInterval":
    case "yearMonthInterval":
      return "0";
    default:
      return "null";
  }
};

/** Statements of one scope; columns read in an outer block are visible in the inner ones. */
export class Block {
  readonly lines: string[];
  readonly #slots = new Map<number, Code>();
  readonly #computed = new Map<number, Code>();
  readonly #parent: Block | undefined;
  constructor(lines: string[], parent?: Block) {
    this.lines = lines;
    this.#parent = parent;
  }
  line(text: string): void {
    this.lines.push(text);
  }
  /** Opens an inner scope: `head {`. Close it with `close`. */
  open(head: string): Block {
    this.lines.push(`${head} {`);
    return new Block(this.lines, this);
  }
  /** An inner scope whose brace is already open: the `else` of an `if`. */
  inner(): Block {
    return new Block(this.lines, this);
  }
  /** An inner scope whose statements are kept apart until they are put somewhere. */
  detached(): Block {
    return new Block([], this);
  }
  close(): void {
    this.lines.push("}");
  }
  slot(index: number): Code | undefined {
    return this.#slots.get(index) ?? this.#parent?.slot(index);
  }
  remember(index: number, code: Code): void {
    this.#slots.set(index, code);
  }
  /** What an expression of this shape (compile-shared.ts) gave here or outside. */
  computed(shape: number): Code | undefined {
    return this.#computed.get(shape) ?? this.#parent?.computed(shape);
  }
  rememberComputed(shape: number, code: Code): void {
    this.#computed.set(shape, code);
  }
}

/** How expressions become code (compile-expr.ts); handed in, so that the parts need not know the whole. */
export type GenerateExpr = (g: Codegen, block: Block, e: TypedExpr) => Code;

/** One function being generated. */
export class Codegen {
  readonly exact: boolean;
  readonly inputs: readonly InputColumn[];
  /** Statements before the loop. */
  readonly prelude: string[] = [];
  readonly bound: unknown[] = [];
  readonly variables = new Map<number, Code>();
  /** The columns that slots mean at the current step. */
  columns: readonly ChainColumn[];
  readonly shapes = new Shapes();
  /** Set when safe mode cannot hold a value of the expressions. */
  unsafe = false;
  #names = 0;
  readonly #used = new Set<number>();
  readonly #bindings = new Map<unknown, string>();

  readonly #generate: GenerateExpr;

  constructor(inputs: readonly InputColumn[], exact: boolean, generate: GenerateExpr) {
    this.inputs = inputs;
    this.exact = exact;
    this.#generate = generate;
    this.columns = inputs.map((_, input) => ({ input }));
  }

  /** The code of an expression; statements go into `block`. */
  expr(block: Block, e: TypedExpr): Code {
    return this.#generate(this, block, e);
  }

  fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  /** G1: the name under which the generated code finds a value. */
  readonly bind = (value: unknown): string => {
    let name = this.#bindings.get(value);
    if (name === undefined) {
      name = `b${this.bound.length}`;
      this.bound.push(value);
      this.#bindings.set(value, name);
    }
    return name;
  };

  /** Makes the arrays of an input column available: `d3`, `l3` (nulls), `y3` (dictionary). */
  use(input: number): void {
    if (this.#used.has(input)) return;
    this.#used.add(input);
    const column = this.inputs[input]!;
    this.prelude.push(`const d${input} = cols[${input}].data;`);
    if (column.nulls) this.prelude.push(`const l${input} = cols[${input}].nulls;`);
    if (column.layout === "dict") this.prelude.push(`const y${input} = cols[${input}].dictionary;`);
  }

  /** The value of an input column at the row `i`. */
  read(input: number, type: DataType, block: Block): Code {
    const known = block.slot(input);
    if (known !== undefined) return known;
    this.use(input);
    const value = this.fresh("s");
    block.line(`const ${value} = ${this.#access(input, type)};`);
    let isNull: string | undefined;
    if (this.inputs[input]!.nulls) {
      isNull = this.fresh("z");
      block.line(`const ${isNull} = l${input}[i] === 1;`);
    }
    const code = { value, isNull };
    block.remember(input, code);
    return code;
  }

  #access(input: number, type: DataType): string {
    switch (this.inputs[input]!.layout) {
      case "bool":
        return `d${input}[i] === 1`;
      case "dict":
        return this.inputs[input]!.bytes ? `y${input}.at(d${input}[i])` : `y${input}[d${input}[i]]`;
      case "i64":
        return type.kind === "long" ? `${this.bind(canonicalLong)}(d${input}[i])` : `Number(d${input}[i])`;
      default:
        return `d${input}[i]`;
    }
  }
}

/** The code of a null of a type. */
export const nullCode = (type: DataType): Code => ({ value: zeroOf(type), isNull: "true" });

/** As a value that may be `null`. */
export const boxed = (c: Code): string => {
  if (c.isNull === undefined) return c.value;
  return c.isNull === "true" ? "null" : `(${c.isNull} ? null : ${c.value})`;
};

/** True where the value is true, not null. */
export const truth = (c: Code): string => {
  if (c.isNull === undefined) return c.value;
  return c.isNull === "true" ? "false" : `(!${c.isNull} && ${c.value})`;
};
