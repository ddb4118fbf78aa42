/** Compiled casts: conversions between numbers inline, all others by their row function. */
import type { DataType } from "../core/data-type.ts";
import { safeLong } from "./arithmetic.ts";
import type { TypedExpr } from "./ast.ts";
import { BOUNDS } from "./cast-numeric.ts";
import { castRow, fromBoxed, fromPlain, strictCode } from "./compile-parts.ts";
import type { Block, Code, Codegen } from "./codegen.ts";
import { pow10 } from "./decimal.ts";
import { castOverflow } from "./runtime-errors.ts";
import { shownValue } from "./value-text.ts";

const INTEGERS: Readonly<Record<string, number>> = { byte: 1, short: 2, int: 3, long: 4 };

/** A checked narrowing of an integer that is a number or a bigint. */
const narrowing = (from: DataType, to: DataType): ((x: number | bigint) => number) => {
  const bound = BOUNDS[to.kind as "int"];
  return (x) => {
    if (x >= bound || x < -bound) throw castOverflow(shownValue(x, from, "UTC"), from, to);
    return Number(x);
  };
};

/** Digits that every value of the type fits in. */
const DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, int: 10, long: 19 };

/** To a decimal that holds every value of the type exactly. */
const widening = (g: Codegen, from: DataType, to: DataType, x: string): string | undefined => {
  if (to.kind !== "decimal") return undefined;
  const decimal = from.kind === "decimal";
  const scale = decimal ? from.scale : 0;
  const digits = decimal ? from.precision - from.scale : DIGITS[from.kind];
  if (digits === undefined || to.scale < scale || to.precision - to.scale < digits) return undefined;
  const unscaled = decimal ? x : `BigInt(${x})`;
  return to.scale === scale ? unscaled : `${unscaled} * ${g.bind(pow10(to.scale - scale))}`;
};

/** The cast of a non-null value as a JS expression; undefined: by the row function. */
const inline = (g: Codegen, from: DataType, to: DataType, x: string): string | undefined => {
  const [a, b] = [INTEGERS[from.kind], INTEGERS[to.kind]];
  if (a !== undefined && b !== undefined) return a <= b ? x : `${g.bind(narrowing(from, to))}(${x})`;
  const number = from.kind === "long" && g.exact ? `Number(${x})` : x;
  if (to.kind === "double" && (a !== undefined || from.kind === "float")) return number;
  if (to.kind === "float" && (a !== undefined || from.kind === "double"))
    return `${g.bind(Math.fround)}(${number})`;
  return widening(g, from, to, x);
};

/** Casts that can make null of a value: try_cast, a variant's null, and NaN or an infinity as a decimal. */
const givesNull = ({ tryCast, child, type }: Extract<TypedExpr, { kind: "cast" }>): boolean => {
  const from = child.type.kind;
  return (
    tryCast || from === "variant" || (type.kind === "decimal" && (from === "double" || from === "float"))
  );
};

export const castCode = (g: Codegen, block: Block, e: Extract<TypedExpr, { kind: "cast" }>): Code =>
  strictCode(g, block, [e.child], e.type, ([x], inner) => {
    const source = e.tryCast ? undefined : inline(g, e.child.type, e.type, x!);
    if (source !== undefined) return fromPlain(g, inner, source);
    const row = `${castRow(g, e.child.type, e.type, e.tryCast)}(${x})`;
    if (givesNull(e)) return fromBoxed(g, inner, row, e.type);
    return fromPlain(g, inner, e.type.kind === "long" && !g.exact ? `${g.bind(safeLong)}(${row})` : row);
  });
