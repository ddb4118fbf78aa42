/** Output columns of a generated loop: their arrays, the statements that write a row, and the finished vectors. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { layoutOf, type Vector } from "../core/vector.ts";
import { type Block, type Code, type Codegen } from "./codegen.ts";
import { memoPlaces } from "./compile-memo.ts";
import { Interner } from "./interner.ts";

const makeInterner = (): Interner => new Interner();

/** Longs of exact mode: f64 while all are safe (V: layout switches), else i64. */
const longVector = (values: readonly (number | bigint)[], nulls: Uint8Array | undefined): Vector => {
  if (!values.some((x) => typeof x === "bigint"))
    return { layout: "f64", data: Float64Array.from(values as readonly number[]), nulls };
  return { layout: "i64", data: BigInt64Array.from(values, (x) => BigInt(x)), nulls };
};

const anyVector = (data: Value[], nulls: Uint8Array | undefined): Vector => ({ layout: "any", data, nulls });

/** Declares an output column of `rows` rows; writes happen at `at`. Returns the source of the finished vector. */
export const outputColumn = (
  g: Codegen,
  type: DataType,
  rows: string,
): { readonly write: (block: Block, code: Code, at: string) => void; readonly vector: () => string } => {
  const out = g.fresh("o");
  const nulls = `${out}n`;
  const some = `${out}s`;
  const layout = type.kind === "long" && g.exact ? "exact" : layoutOf(type);
  const allocation = {
    bool: `new Uint8Array(${rows})`,
    i32: `new Int32Array(${rows})`,
    f64: `new Float64Array(${rows})`,
    dict: `new Int32Array(${rows})`,
    any: `new Array(${rows}).fill(null)`,
    exact: `new Array(${rows}).fill(0)`,
    i64: "",
  }[layout];
  g.prelude.push(`const ${out} = ${allocation};`);
  if (layout === "dict") g.prelude.push(`const ${out}y = ${g.bind(makeInterner)}();`);
  let nullable = false;
  const write = (block: Block, code: Code, at: string): void => {
    if (code.isNull !== undefined) {
      if (!nullable) g.prelude.push(`const ${nulls} = new Uint8Array(${rows}); let ${some} = false;`);
      nullable = true;
      const inner = block.open(`if (${code.isNull})`);
      inner.line(`${nulls}[${at}] = 1; ${some} = true;`);
      inner.line("} else {");
    }
    block.line(`${out}[${at}] = ${stored(layout, out, code)};`);
    if (code.isNull !== undefined) block.close();
  };
  const vector = (): string => {
    const mask = nullable ? `${some} ? ${nulls} : undefined` : "undefined";
    if (layout === "exact") return `${g.bind(longVector)}(${out}, ${mask})`;
    if (layout === "any") return `${g.bind(anyVector)}(${out}, ${mask})`;
    const dictionary = layout === "dict" ? `, dictionary: ${out}y.dictionary` : "";
    return `{ layout: "${layout}", data: ${out}${dictionary}, nulls: ${mask} }`;
  };
  return { write, vector };
};

const stored = (layout: string, out: string, code: Code): string => {
  if (layout === "bool") return `${code.value} ? 1 : 0`;
  if (layout !== "dict") return code.value;
  const place = memoPlaces.get(code);
  if (place === undefined) return `${out}y.id(${code.value})`;
  const { memo, id } = place;
  return `${memo}.ids[${id}] >= 0 ? ${memo}.ids[${id}] : ${memo}.intern(${id}, ${out}y)`;
};
