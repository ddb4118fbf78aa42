/** Random typed expressions over random batches, for the tests that compiled and interpreted expressions agree. */
import fc from "fast-check";
import { type Batch, batchFromRows, batchOf } from "../../src/core/batch.ts";
import {
  array,
  BOOLEAN,
  BYTE,
  type DataType,
  DATE,
  decimal,
  DOUBLE,
  field,
  FLOAT,
  INT,
  LONG,
  map,
  SHORT,
  STRING,
  struct,
  TIMESTAMP,
} from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Row, Value } from "../../src/core/value.ts";
import type { Expr } from "../../src/expr/ast.ts";
import { columnScope, type Scope } from "../../src/expr/scope.ts";

const LONG_MAX = 9223372036854775807n;

/** The columns of every generated batch. */
export const COLUMNS: readonly (readonly [string, DataType, fc.Arbitrary<Value>])[] = [
  ["b", BOOLEAN, fc.boolean()],
  ["y", BYTE, fc.integer({ min: -128, max: 127 })],
  ["h", SHORT, fc.integer({ min: -32768, max: 32767 })],
  ["i", INT, fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(2147483647, -2147483648))],
  [
    "l",
    LONG,
    fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -99, max: 99 }) },
      { weight: 2, arbitrary: fc.constantFrom(9007199254740991, -9007199254740991) },
      { weight: 1, arbitrary: fc.constantFrom(LONG_MAX, -LONG_MAX - 1n, 9007199254740993n) },
    ),
  ],
  ["f", FLOAT, fc.constantFrom(0, -0, 1.5, NaN, Infinity, Math.fround(0.1), Math.fround(3e38))],
  ["d", DOUBLE, fc.constantFrom(0, -0, 1, -2.5, NaN, Infinity, -Infinity, 1e20, 0.1, 3e-9)],
  ["s", STRING, fc.constantFrom("", "a", "ab", "B", "12", " 7 ", "1.5", "true", "2024-02-29", "é😀")],
  ["k", STRING, fc.constantFrom("x", "y")],
  ["c", decimal(10, 2), fc.constantFrom(0n, 110n, -5n, 9999999999n, 250n)],
  ["t", TIMESTAMP, fc.constantFrom(0, 1709210096789, -1, 1709210096789.123, 951782400000)],
  ["g", DATE, fc.constantFrom(0, 19782, -1, 11016)],
  ["a", array(INT), fc.array(fc.option(fc.integer({ min: 0, max: 3 })), { maxLength: 3 })],
  [
    "r",
    struct([field("x", INT), field("n", STRING)]),
    fc.tuple(
      fc.option(fc.integer({ min: 0, max: 3 })),
      fc.option(fc.constantFrom("p", "q")),
    ) as fc.Arbitrary<Value>,
  ],
  [
    "m",
    map(STRING, LONG),
    fc.constantFrom<Value>(
      [],
      [["x", 1]],
      [
        ["x", null],
        ["y", LONG_MAX],
      ],
    ),
  ],
];

const schema = schemaOf(COLUMNS.map(([name, type]) => field(name, type)));

/** The scope over the columns as slots. */
export const slotScope: Scope = columnScope(
  COLUMNS.map(([name, type], index) => ({
    name,
    qualifier: [],
    expr: { kind: "slot", index, name, type, nullable: true },
  })),
);

const row: fc.Arbitrary<Row> = fc.tuple(
  ...COLUMNS.map(([, , value]) => fc.option(value, { freq: 6 })),
) as fc.Arbitrary<Row>;

/** Batches with nulls and extremes; columns without nulls, selections and small dictionaries among them. */
export const batches: fc.Arbitrary<Batch> = fc
  .record({
    rows: fc.oneof(
      fc.array(row, { maxLength: 24, size: "max" }),
      fc.array(row, { minLength: 32, maxLength: 40, size: "max" }),
    ),
    pick: fc.option(fc.integer({ min: 1, max: 3 })),
  })
  .map(({ rows, pick }) => {
    const b = batchFromRows(schema, rows);
    if (pick === null) return b;
    const selection = Int32Array.from(rows.keys()).filter((i) => i % pick === 0);
    return batchOf(b.schema, b.length, b.columns, selection);
  });

const column = (...names: string[]): fc.Arbitrary<Expr> =>
  fc.constantFrom(...names).map((n): Expr => ({ kind: "column", parts: [n] }));
const literal = (type: DataType, ...values: Value[]): fc.Arbitrary<Expr> =>
  fc.constantFrom(...values).map((value): Expr => ({ kind: "literal", value, type }));
const call = (names: readonly string[], ...args: fc.Arbitrary<Expr>[]): fc.Arbitrary<Expr> =>
  fc
    .tuple(fc.constantFrom(...names), fc.tuple(...args))
    .map(([fn, list]): Expr => ({ kind: "call", fn, args: list }));
const cast = (child: fc.Arbitrary<Expr>, ...types: DataType[]): fc.Arbitrary<Expr> =>
  fc
    .tuple(child, fc.constantFrom(...types), fc.boolean())
    .map(([c, to, tryCast]): Expr => ({ kind: "cast", child: c, to, tryCast }));
const choice = (condition: fc.Arbitrary<Expr>, value: fc.Arbitrary<Expr>): fc.Arbitrary<Expr> =>
  fc
    .tuple(
      fc.array(fc.tuple(condition, value), { minLength: 1, maxLength: 2 }),
      fc.option(value, { nil: undefined }),
    )
    .map(([branches, otherwise]): Expr => ({ kind: "case", branches, otherwise }));

const { bool, number, text, any } = fc.letrec<Record<"bool" | "number" | "text" | "any", Expr>>((tie) => ({
  number: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    column("y", "h", "i", "l", "f", "d", "c"),
    literal(INT, 0, 1, -7, 2147483647, null),
    literal(LONG, 5, LONG_MAX),
    literal(DOUBLE, 2.5, NaN),
    call(["+", "-", "*", "/", "%", "div", "try_add", "try_divide"], tie("number"), tie("number")),
    call(["+", "-", "*"], tie("number"), tie("number")),
    call(["-"], tie("number")),
    call(["coalesce", "nvl", "nullif"], tie("number"), tie("number")),
    call(["if"], tie("bool"), tie("number"), tie("number")),
    call(["&", "|", "^"], column("y", "i", "l"), column("h", "l")),
    cast(tie("any"), INT, LONG, DOUBLE, FLOAT, BYTE, decimal(6, 1)),
    choice(tie("bool"), tie("number")),
    call(["item"], column("a"), tie("number")),
    call(["item"], column("m"), column("k", "s")),
  ),
  bool: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    column("b"),
    literal(BOOLEAN, true, false, null),
    call(["=", "<>", "<", "<=", ">", ">=", "<=>"], tie("number"), tie("number")),
    call(["=", "<", ">=", "<=>", "like"], tie("text"), tie("text")),
    call(["=", "<>", "<", "<=>"], column("a", "r"), column("a", "r")),
    call(["=", ">", "<=>"], column("t", "g", "s"), column("t", "g")),
    call(["and", "or"], tie("bool"), tie("bool")),
    call(["and", "or"], tie("bool"), tie("bool")),
    call(["not"], tie("bool")),
    call(["isnull", "isnotnull"], tie("any")),
    call(["in"], tie("number"), literal(INT, 1, 2, null), tie("number")),
    call(["in"], tie("number"), literal(INT, 1, 2, null), literal(LONG, 5, LONG_MAX)),
    call(["in"], column("k"), literal(STRING, "x", "z"), literal(STRING, "q", null)),
    call(["between"], tie("number"), tie("number"), tie("number")),
    cast(tie("any"), BOOLEAN),
  ),
  text: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    column("s", "k"),
    literal(STRING, "x", "a%", null),
    cast(tie("any"), STRING),
    call(["upper", "lower", "trim"], tie("text")),
    call(["coalesce", "nullif"], tie("text"), tie("text")),
    choice(tie("bool"), tie("text")),
  ),
  any: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    tie("bool"),
    tie("number"),
    tie("text"),
    column("t", "g", "a", "r", "m"),
    cast(column("s", "g", "t"), TIMESTAMP, DATE),
    fc.constant<Expr>({ kind: "column", parts: ["r", "n"] }),
    fc.constant<Expr>({ kind: "column", parts: ["r", "x"] }),
    call(["window"], column("t"), literal(STRING, "10 seconds", "1 day")),
    call(["window"], column("t"), literal(STRING, "10 seconds")).map((child): Expr => ({
      kind: "field",
      child,
      name: "end",
    })),
  ),
}));

/** Expressions of any type, of mostly matching types; some do not type. */
export const expressions: fc.Arbitrary<Expr> = any;
export const conditions: fc.Arbitrary<Expr> = bool;
export const numbers: fc.Arbitrary<Expr> = number;
export const texts: fc.Arbitrary<Expr> = text;
