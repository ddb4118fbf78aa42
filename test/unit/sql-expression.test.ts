/** Expressions: precedence, predicates, calls and the forms with keywords. Each line is a text and the outline of its tree. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExpression } from "../../src/sql/parser.ts";
import { outlineExpr } from "../support/sql-outline.ts";

const check = (cases: readonly (readonly [string, string])[]): void => {
  for (const [text, expected] of cases) assert.equal(outlineExpr(parseExpression(text)), expected, text);
};

test("precedence follows Spark's grammar, operators are left-associative", () => {
  check([
    ["a OR b AND NOT c = d", "(or a (and b (not (= c d))))"],
    ["a + b * c - d", "(- (+ a (* b c)) d)"],
    ["a - b - c", "(- (- a b) c)"],
    ["a | b ^ c & d << e + f", "(| a (^ b (& c (<< d (+ e f)))))"],
    ["a < b | c", "(< a (| b c))"],
    ["a >> 1 >>> 2", "(>>> (>> a 1:int) 2:int)"],
    ["-a * b", "(* (- a) b)"],
    ["~a + +b", "(+ (~ a) (positive b))"],
    ["a || b || c", "(concat (concat a b) c)"],
    ["a div b % c / d", "(/ (% (div a b) c) d)"],
    ["(a + b) * c", "(* (+ a b) c)"],
    ["a = b = c", "(= (= a b) c)"],
    ["a == b AND c != d AND e <> f AND g <=> h", "(and (and (= a b) (!= c d)) (and (!= e f) (<=> g h)))"],
    ["! a AND b !< c AND d !> e", "(and (and (not a) (>= b c)) (<= d e))"],
    ["a - -7", "(- a -7:int)"],
    ["a -7", "(- a 7:int)"],
  ]);
});

test("predicates take a comparison on their left and negate from the outside", () => {
  check([
    ["a BETWEEN 1 AND 2 AND b", "(and (between a 1:int 2:int) b)"],
    ["a NOT BETWEEN b + 1 AND c", "(not (between a (+ b 1:int) c))"],
    ["a IN (1, 2)", "(in a 1:int 2:int)"],
    ["a ! IN (1)", "(not (in a 1:int))"],
    ["a LIKE 'x%' ESCAPE '!'", "(like a 'x%':string '!':string)"],
    ["a NOT ILIKE 'x'", "(not (ilike a 'x':string))"],
    ["a RLIKE 'x' OR a REGEXP 'y'", "(or (rlike a 'x':string) (rlike a 'y':string))"],
    ["a LIKE ALL ('x', 'y')", "(and (like a 'x':string) (like a 'y':string))"],
    ["a NOT LIKE ANY ('x', 'y')", "(or (not (like a 'x':string)) (not (like a 'y':string)))"],
    ["a IS NULL OR b IS NOT NULL", "(or (isnull a) (isnotnull b))"],
    ["a IS TRUE", "(istrue a)"],
    ["a IS NOT FALSE", "(not (isfalse a))"],
    ["a IS UNKNOWN", "(isnull a)"],
    ["a IS DISTINCT FROM b", "(not (<=> a b))"],
    ["a IS NOT DISTINCT FROM b", "(<=> a b)"],
    ["a = b IS NULL", "(isnull (= a b))"],
    ["NOT a IN (1)", "(not (in a 1:int))"],
  ]);
});

test("subqueries are found in parentheses, however many", () => {
  check([
    ["EXISTS (SELECT 1)", "exists<select[1:int](one)>"],
    ["a IN (SELECT b FROM t)", "in<a;select[b](t)>"],
    ["(a, b) NOT IN (SELECT c, d FROM t)", "not-in<a;b;select[c, d](t)>"],
    ["((SELECT 1))", "scalar<select[1:int](one)>"],
    ["((SELECT 1) + 1)", "(+ scalar<select[1:int](one)> 1:int)"],
    ["((SELECT 1) UNION (SELECT 2))", "scalar<union(select[1:int](one), select[2:int](one))>"],
    ["exists(xs, x -> x > 1)", "(exists xs {x -> (> x 1:int)})"],
  ]);
});

test("names, fields, items and casts", () => {
  check([
    ["a.b.c", "a.b.c"],
    ["`a.b`.`c``d`", "a.b.c`d"],
    ["a.b[0].c.d", "a.b[0:int]!c!d"],
    ["f(x).y", "(f x)!y"],
    ["(a).b", "a!b"],
    ["m['k']['l']", "m['k':string]['l':string]"],
    ["a::int::string", "(cast (cast a int) string)"],
    ["-1::string", "(cast -1:int string)"],
    ["CAST(a AS DECIMAL(10, 2))", "(cast a decimal(10,2))"],
    ["try_cast(a AS ARRAY<MAP<STRING, INT>>)", "(try_cast a array<map<string,int>>)"],
    ["t.*", "t.*"],
    ["* EXCEPT (a, b)", "*-{a,b}"],
    ["__proto__.constructor", "__proto__.constructor"],
    ["a AS `x y`", "a as x y"],
    ["posexplode(m) AS (i, k, v)", "(posexplode m) as i,k,v"],
    [":name + ? + ?", "(+ (+ :name :?1) :?2)"],
    ["IDENTIFIER('a.`b.c`')", "a.b.c"],
    ["s COLLATE utf8_binary", "s"],
  ]);
});

test("CASE in both forms, and lambdas", () => {
  check([
    ["CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END", "(case a?1:int b?2:int 3:int)"],
    ["CASE a WHEN 1 THEN 'x' END", "(case (= a 1:int)?'x':string -)"],
    ["f(x -> x + 1, (y, z) -> y)", "(f {x -> (+ x 1:int)} {y,z -> y})"],
  ]);
});

test("calls: DISTINCT, FILTER, WITHIN GROUP, nulls, named arguments", () => {
  check([
    ["count(*)", "(count 1:int)"],
    ["COUNT(DISTINCT a, b)", "(count distinct a b)"],
    ["count(t.*)", "(count t.*)"],
    ["sum(a) FILTER (WHERE b > 1)", "(sum a filter=(> b 1:int))"],
    [
      "listagg(DISTINCT a, ',') WITHIN GROUP (ORDER BY a DESC)",
      "(listagg distinct a ',':string order=a desc nl)",
    ],
    ["first(a IGNORE NULLS)", "(first a ignoreNulls)"],
    ["last_value(a) IGNORE NULLS", "(last_value a ignoreNulls)"],
    ["first(a) RESPECT NULLS", "(first a)"],
    ["f(1, k => 2, __proto__ => 3)", "(f 1:int k=>2:int __proto__=>3:int)"],
    ["system.builtin.upper(a)", "(upper a)"],
    ["current_date", "(current_date)"],
    ["current_timestamp()", "(current_timestamp)"],
    ["if(a, b, c)", "(if a b c)"],
    ["left(a, 1) || right(b, 2)", "(concat (left a 1:int) (right b 2:int))"],
  ]);
});

test("forms with keywords between the parentheses are calls", () => {
  check([
    ["EXTRACT(WEEK FROM d)", "(extract 'WEEK':string d)"],
    ["SUBSTRING(s FROM 2 FOR 3)", "(substring s 2:int 3:int)"],
    ["substr(s, 2)", "(substr s 2:int)"],
    ["TRIM(s)", "(trim s)"],
    ["TRIM(BOTH 'x' FROM s)", "(trim 'x':string s)"],
    ["TRIM(LEADING FROM s)", "(ltrim s)"],
    ["TRIM('x' FROM s)", "(trim 'x':string s)"],
    ["trim(TRAILING 'x' FROM s)", "(rtrim 'x':string s)"],
    ["POSITION('a' IN s)", "(locate 'a':string s)"],
    ["OVERLAY(s PLACING 'x' FROM 2 FOR 3)", "(overlay s 'x':string 2:int 3:int)"],
    ["STRUCT(a, b AS c)", "(struct a b as c)"],
    ["(a, b)", "(struct a b)"],
    ["timestampadd(MONTH, 2, ts)", "(timestampadd 'MONTH':string 2:int ts)"],
    ["DATEDIFF(day, a, b)", "(timestampdiff 'DAY':string a b)"],
    ["date_add(d, 2)", "(date_add d 2:int)"],
  ]);
});

test("OVER with partition, order, frames and names", () => {
  check([
    ["rank() OVER (PARTITION BY a, b ORDER BY c DESC, d)", "over{(rank); by a, b; order c desc nl, d nf}"],
    ["sum(v) OVER (ORDER BY t NULLS LAST)", "over{(sum v); order t nl}"],
    ["sum(v) OVER w", "over{(sum v); window=w}"],
    ["sum(v) OVER (w)", "over{(sum v); window=w}"],
    ["sum(v) OVER (ROWS 2 PRECEDING)", "over{(sum v); rows 2:int preceding..currentRow}"],
    [
      "sum(v) OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)",
      "over{(sum v); range unboundedPreceding..1:int following}",
    ],
    ["sum(v) FILTER (WHERE a) OVER ()", "over{(sum v filter=a)}"],
  ]);
});

test("keywords are names where nothing else fits", () => {
  check([
    ["date", "date"],
    ["timestamp + interval", "(+ timestamp interval)"],
    ["t.select", "t.select"],
    ["end", "end"],
    ["value.from", "value.from"],
    ["first", "first"],
    ["user", "user"],
    ["struct(table, order)", "(struct table order)"],
  ]);
});

test("a chain of AND or OR of any length is a balanced tree, in order", () => {
  const text = Array.from({ length: 1000 }, (_, i) => `c${i}`).join(" OR ");
  const depth = (e: ReturnType<typeof parseExpression>): number =>
    e.kind === "call" ? 1 + Math.max(...e.args.map(depth)) : 0;
  const leaves = (e: ReturnType<typeof parseExpression>): string[] =>
    e.kind === "call" ? e.args.flatMap(leaves) : [outlineExpr(e)];
  const tree = parseExpression(text);
  assert.ok(depth(tree) <= 10);
  assert.equal(leaves(tree).join(" OR "), text);
});

test("positions span the expression, lines and columns from 1", () => {
  const e = parseExpression("  a +\n  f( b )");
  assert.deepEqual(e.position, { line: 1, column: 3, length: 12 });
  assert.ok(e.kind === "call");
  assert.deepEqual(e.args[1]!.position, { line: 2, column: 3, length: 6 });
});
