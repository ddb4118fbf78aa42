"""check.py --src PARTS_DIR --golden FILE --literal FILE --tmp DIR [--delay-us N] [--queries q0,q5]

Results of Spark's queries (queries.py) beside those of a golden file (rows and hash as src/bench/nexmark/result.ts has them), and what Spark says to our own text of
every query. `--literal`: JSON of {name: {sql, mode}}, as `main.ts --print-queries` prints it. Prints a line for each query and `N equal, N differ`; exit code 1 where one differs.
"""
import argparse, hashlib, json, os, shutil, tempfile
from queries import QUERIES
from session import define_views, end, lasting_seconds, session

ap = argparse.ArgumentParser()
for name in ('src', 'golden', 'literal', 'tmp'):
    ap.add_argument(f'--{name}', required=True)
ap.add_argument('--delay-us', type=int, default=10_000)
ap.add_argument('--queries', default='')
a = ap.parse_args()
UNCHECKED = {'q12': 'processing time', 'q7m': 'another query', 'count': 'no golden'}
W = tempfile.mkdtemp(prefix='spark', dir=os.path.abspath(a.tmp))
spark = session(W, 'hdfs')
FILES_PER_BATCH = 3  # several batches, so that state is read back
DELAY = '4 seconds'


def text(value, kind):
    if value is None:
        return '\\N'
    return str(int(value.scaleb(kind.scale))) if kind.typeName() == 'decimal' else str(value)


def result(name, query):
    """Rows and hash of the query's result; of rows with the same key the last one counts."""
    define_views(spark, a.src, DELAY, FILES_PER_BATCH)
    table = f'out_{name}'
    h = (spark.sql(query.sql.replace('{seconds}', str(lasting_seconds(a.delay_us)))).writeStream.option('checkpointLocation', f'{W}/{name}')
         .outputMode(query.mode).format('memory').queryName(table).trigger(availableNow=True).start())
    h.awaitTermination()
    out = spark.table(table)
    kinds = [f.dataType for f in out.schema]
    columns = [f'`{f.name}`' for f in out.schema]
    out = out.toDF(*[f'c{i}' for i in range(len(kinds))])
    out = out.selectExpr(*[f'unix_millis(c{i})' if k.typeName() == 'timestamp' else f'c{i}' for i, k in enumerate(kinds)])
    rows = [[text(v, k) for v, k in zip(row, kinds)] for row in out.collect()]
    spark.catalog.dropTempView(table)
    if query.key:
        rows = {tuple(row[i] for i in query.key): row for row in rows}.values()
    lines = sorted(('|'.join(row) + '\n').encode() for row in rows)
    return len(lines), hashlib.sha256(b''.join(lines)).hexdigest()[:16]


def refusal(name, literal):
    """The condition of the error with which Spark refuses to stream our text; empty when it runs it."""
    define_views(spark, a.src, DELAY, 1000)
    try:
        h = (spark.sql(literal['sql']).writeStream.option('checkpointLocation', f'{W}/literal-{name}').outputMode(literal['mode']).format('noop')
             .trigger(availableNow=True).start())
        h.stop()
        return ''
    except Exception as e:  # noqa: BLE001 Spark's refusals are of several classes
        condition = getattr(e, 'getCondition', lambda: None)() or type(e).__name__
        return f"{condition}: {str(e).splitlines()[0][:200]}"


equal = differ = 0
try:
    golden = json.load(open(a.golden))['queries']
    literal = json.load(open(a.literal))
    wanted = [q for q in a.queries.split(',') if q] or list(dict.fromkeys([*QUERIES, *literal]))
    for name in wanted:
        said = refusal(name, literal[name]) if name in literal else ''
        query = QUERIES.get(name)
        if query is None:
            print(f'{name}: not run; refused: {said or "no"}', flush=True)
            continue
        rows, digest = result(name, query)
        expected = golden.get("q7" if name == "q7j" else name)
        if name in UNCHECKED or expected is None:
            verdict = f'not compared ({UNCHECKED.get(name, "no golden")})'
        elif (rows, digest) == (expected['rows'], expected['hash']):
            equal, verdict = equal + 1, 'equal'
        else:
            differ, verdict = differ + 1, f'DIFFERS from {expected["rows"]} rows {expected["hash"]}'
        print(f'{name}: {rows} rows {digest} {verdict}; rewritten: {query.rewritten or "no"}; our text: {"refused, " + said if said else "streams" if name in literal else "none"}', flush=True)
finally:
    end(spark)
    shutil.rmtree(W, ignore_errors=True)
print(f'{equal} equal, {differ} differ')
raise SystemExit(1 if differ else 0)
