/** Plans from SQL for tests: a catalog of small tables and streams, and short ways to analyse, optimise and print. */
import { array, DOUBLE, field, INT, LONG, STRING, struct, TIMESTAMP } from "../../src/core/data-type.ts";
import type { DataType } from "../../src/core/data-type.ts";
import { AnalysisError } from "../../src/core/errors.ts";
import { analyse, type AnalyseOptions } from "../../src/plan/analyse.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { explainLogical } from "../../src/plan/explain-logical.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import type { Relation } from "../../src/plan/relation.ts";
import { parseQuery } from "../../src/sql/parser.ts";

export const OPTIONS: AnalyseOptions = { timeZone: "UTC", compatibility: "extended" };

export const sourceOf = (
  name: string,
  columns: Readonly<Record<string, DataType>>,
  streaming = true,
): Relation => ({
  kind: "source",
  source: {
    format: "memory",
    options: {},
    schema: { fields: Object.entries(columns).map(([n, t]) => field(n, t)) },
    pushed: [],
  },
  streaming,
  name,
});

export const watermarked = (child: Relation, column: string, delayMs: number): Relation => ({
  kind: "watermark",
  child,
  column: [column],
  delayMs,
});

const STREAM = { k: STRING, v: LONG, ts: TIMESTAMP };
const RIGHT = { k: STRING, w: LONG, ts2: TIMESTAMP };

/** The table j: JSON files of an id and two structs, a string, a number and a struct in the first. */
export const jsonSource = (path: string): Relation => {
  const inner = struct([field("x", LONG), field("y", STRING)]);
  const a = struct([field("s", STRING), field("n", LONG), field("inner", inner)]);
  const schema = {
    fields: [
      field("id", LONG),
      field("a", a),
      field("b", struct([field("s", STRING), field("t", TIMESTAMP)])),
    ],
  };
  const source = { format: "json", options: { path }, schema, pushed: [] };
  return { kind: "source", source, streaming: false, name: "j" };
};

/** Tables t, u, n, j; streams s, r with watermarks of 10 and 5 s; s0, r0 without; the static table d. */
export const testCatalog = (): SessionCatalog => {
  const catalog = new SessionCatalog();
  const view = (name: string, relation: Relation): void => catalog.define({ name, kind: "view", relation });
  view(
    "t",
    parseQuery(
      "SELECT * FROM VALUES ('a',1,10.5D),('b',2,NULL),('a',3,-1.0D),(NULL,4,2.0D),('c',NULL,3.25D),('b',6,0.0D) AS t(k,v,x)",
    ),
  );
  view(
    "u",
    parseQuery("SELECT * FROM VALUES ('a','A'),('b','B'),('b','B2'),('d','D'),(NULL,'N') AS u(k,name)"),
  );
  view(
    "n",
    sourceOf(
      "n",
      {
        id: INT,
        s: struct([field("p", INT), field("q", STRING)]),
        xs: array(INT),
        many: array(struct([field("p", INT)])),
      },
      false,
    ),
  );
  view("j", jsonSource("/data/j"));
  view("s", watermarked(sourceOf("s", STREAM), "ts", 10_000));
  view("r", watermarked(sourceOf("r", RIGHT), "ts2", 5_000));
  view("s0", sourceOf("s0", STREAM));
  view("r0", sourceOf("r0", RIGHT));
  view("d", sourceOf("d", { k: STRING, label: STRING, rank: INT, weight: DOUBLE }, false));
  return catalog;
};

export const planOf = (sql: string, options: Partial<AnalyseOptions> = {}): LogicalPlan =>
  analyse(parseQuery(sql), testCatalog(), { ...OPTIONS, ...options });

export const planOfRelation = (relation: Relation): LogicalPlan => analyse(relation, testCatalog(), OPTIONS);

export const textOf = (plan: LogicalPlan): string => explainLogical(plan).trimEnd();

/** Text of a template without its common indentation. */
export const plain = (text: string): string => {
  const lines = text.split("\n").filter((l) => l.trim() !== "");
  const indent = Math.min(...lines.map((l) => l.length - l.trimStart().length));
  return lines.map((l) => l.slice(indent).trimEnd()).join("\n");
};

/** The AnalysisError that `f` throws. */
export const refusal = (f: () => unknown): AnalysisError => {
  try {
    f();
  } catch (e) {
    if (e instanceof AnalysisError) return e;
    throw e;
  }
  throw new Error("nothing was refused");
};
