/**
 * Table-generating functions: explode, posexplode, inline, stack, json_tuple. Output: the row's columns, then the generated ones. With `outer` a
 * row that generates nothing comes out once with nulls. Stateless.
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Row, Value } from "../core/value.ts";
import { takeVector, valueAt, vectorOf } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { formatExpr } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind } from "./operator.ts";
import { liveRows, overRows, type OnRowError } from "./row-errors.ts";

export interface GenerateSpec {
  readonly fn: string;
  readonly args: readonly TypedExpr[];
  readonly outer: boolean;
}

type Generator = (args: Row, columns: number) => readonly Row[];

const elements = (v: Value): readonly Value[] => (v === null ? [] : (v as readonly Value[]));

const jsonText = (v: unknown): string | null =>
  v === null || v === undefined ? null : typeof v === "string" ? v : JSON.stringify(v);

const jsonTuple: Generator = ([text, ...names]) => {
  let parsed: unknown;
  try {
    parsed = text === null ? null : JSON.parse(text as string);
  } catch {
    parsed = null;
  }
  const fields = new Map(
    typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? Object.entries(parsed) : [],
  );
  return [names.map((n) => (n === null ? null : jsonText(fields.get(n as string))))];
};

const stack: Generator = ([count, ...values], columns) =>
  Array.from({ length: Number(count) }, (_, r) =>
    Array.from({ length: columns }, (_, c) => values[r * columns + c] ?? null),
  );

const generatorOf = (fn: string, args: readonly TypedExpr[]): Generator => {
  const isMap = args[0]?.type.kind === "map";
  switch (fn.replace(/_outer$/, "")) {
    case "explode":
      // The entries of a map are [key, value] pairs already.
      return ([v]) => (isMap ? (elements(v!) as readonly Row[]) : elements(v!).map((x) => [x]));
    case "posexplode":
      return ([v]) => elements(v!).map((x, i) => (isMap ? [i, ...(x as Row)] : [i, x]));
    case "inline":
      return ([v], columns) =>
        elements(v!).map((x) => (x === null ? new Array<Value>(columns).fill(null) : (x as Row)));
    case "stack":
      return stack;
    case "json_tuple":
      return jsonTuple;
    default:
      throw new AnalysisError(`there is no table-generating function ${fn}`, {
        errorClass: "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
      });
  }
};

export const generateKind: OperatorKind<GenerateSpec> = {
  kind: "generate",
  stateful: false,
  create: (spec, [input], output): Operator => {
    const evaluate = compileExprs(spec.args);
    const generate = generatorOf(spec.fn, spec.args);
    const outer = spec.outer || spec.fn.endsWith("_outer");
    const width = input!.fields.length;
    const generated = output.fields.slice(width);
    const nothing: Row = generated.map(() => null);
    let epoch: EpochContext;
    let onRowError: OnRowError;
    const rowsFrom = (batch: Batch): { batch: Batch; result: readonly (readonly Row[])[] } =>
      overRows(batch, onRowError, (b) => {
        const vectors = evaluate(b, epoch);
        return Array.from({ length: rowCount(b) }, (_, i) => {
          const rows = generate(
            vectors.map((v) => valueAt(v, i)),
            generated.length,
          );
          return rows.length === 0 && outer ? [nothing] : rows;
        });
      });
    return {
      open: (context) => {
        onRowError = context.onRowError;
      },
      begin: (context) => {
        epoch = context;
      },
      process: (batch, _port, out) => {
        const { batch: kept, result } = rowsFrom(batch);
        const live = liveRows(kept);
        const rows = result.flat();
        if (rows.length === 0) return;
        const from = Int32Array.from(result.flatMap((made, i) => made.map(() => live[i]!)));
        const columns = [
          ...kept.columns.map((v) => takeVector(v, from)),
          ...generated.map((f, c) =>
            vectorOf(
              f.type,
              rows.map((r) => r[c]!),
            ),
          ),
        ];
        out.emit(batchOf(output, rows.length, columns));
      },
    };
  },
  describe: (spec) =>
    `Generate ${spec.outer ? "outer " : ""}${spec.fn}(${spec.args.map(formatExpr).join(", ")})`,
  stateFingerprint: () => "",
};
