"""Records what Apache Spark does with SQL: record.py IN.json OUT.json.

IN has one of the keys `expressions` ([{category, sql}]), `queries` ([{sql}], with `tables`: name -> DDL) or `scripts`
([{name, statements: [{sql}]}]); OUT is the format of test/golden/cases. Local, one shuffle partition, ANSI, time zone UTC.
"""
import datetime
import json
import math
import os
import re
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import types as T

WORK = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".work")
EPOCH = datetime.datetime(1970, 1, 1)
AT_ONCE = 16


def session():
    os.environ["TZ"] = "UTC"
    time.tzset()
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.warehouse.dir": os.path.join(WORK, "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
    }
    builder = SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def golden(v, t):
    """A value as the golden files write it."""
    if v is None:
        return None
    if isinstance(t, (T.DoubleType, T.FloatType)):
        if math.isnan(v):
            return {"double": "nan"}
        return {"double": "inf" if v > 0 else "-inf"} if math.isinf(v) else v
    if isinstance(t, T.DecimalType):
        return {"decimal": str(v)}
    if isinstance(t, T.BinaryType):
        return {"hex": bytes(v).hex()}
    if isinstance(t, T.DateType):
        return v.isoformat()
    if isinstance(t, (T.TimestampType, T.TimestampNTZType)):
        us = micros(v.replace(tzinfo=None) - EPOCH)
        return us / 1000 if us % 1000 else us // 1000
    if isinstance(t, T.DayTimeIntervalType):
        return {"intervalMicros": micros(v)}
    if isinstance(t, T.ArrayType):
        return [golden(x, t.elementType) for x in v]
    if isinstance(t, T.MapType):
        return {str(golden(k, t.keyType)): golden(x, t.valueType) for k, x in v.items()}
    if isinstance(t, T.StructType):
        return {f.name: golden(x, f.dataType) for f, x in zip(t.fields, v)}
    return v if isinstance(v, (int, str, bool)) else str(v)


def micros(d):
    return (d.days * 86400 + d.seconds) * 1000000 + d.microseconds


def error_class(e):
    found = getattr(e, "getCondition", lambda: None)()
    if found:
        return found
    match = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", str(e))
    return match.group(1) if match else type(e).__name__


def statement(spark, sql):
    try:
        frame = spark.sql(sql)
        types = [f.dataType for f in frame.schema]
        rows = [[golden(v, t) for v, t in zip(row, types)] for row in frame.collect()]
        return {"sql": sql, "types": [t.simpleString() for t in types], "names": frame.columns, "rows": rows}
    except Exception as e:
        return {"sql": sql, "error": error_class(e), "message": str(e).split("\n")[0][:500]}


def python_loses(t):
    """Types whose values Python cannot hold as they are."""
    n = t.simpleString()
    return any(x in n for x in ("variant", "interval year", "interval month")) or n == "interval" or re.match(r"time\(", n)


def expressions(spark, cases):
    """Many in one query, halved where one fails: a query each would take a second."""
    if not cases:
        return []
    try:
        frame = spark.sql("SELECT " + ", ".join(f"{c['sql']} AS r{i}" for i, c in enumerate(cases)))
        rows = frame.collect()
        if len(rows) == 1 and len(frame.schema) == len(cases):
            return [
                {**c, "type": f.dataType.simpleString(), "value": golden(v, f.dataType)}
                for c, f, v in zip(cases, frame.schema, rows[0])
                if not python_loses(f.dataType)
            ]
    except Exception as e:
        if len(cases) == 1:
            return [{**cases[0], "error": error_class(e)}]
    if len(cases) == 1:
        return []
    half = len(cases) // 2
    return expressions(spark, cases[:half]) + expressions(spark, cases[half:])


def record(spark, data):
    if "expressions" in data:
        cases = data["expressions"]
        parts = [expressions(spark, cases[i : i + AT_ONCE]) for i in range(0, len(cases), AT_ONCE)]
        return {"expressions": [c for part in parts for c in part]}
    if "queries" in data:
        own = spark.newSession()
        for ddl in data["tables"].values():
            own.sql(ddl)
        return {"tables": data["tables"], "queries": [statement(own, q["sql"]) for q in data["queries"]]}
    scripts = []
    for script in data["scripts"]:
        own = spark.newSession()
        done = [statement(own, q["sql"]) for q in script["statements"]]
        scripts.append({"name": script["name"], "statements": done})
    return {"scripts": scripts}


def main():
    with open(sys.argv[1]) as f:
        data = json.load(f)
    spark = session()
    out = {"engine": "Apache Spark " + spark.version, **record(spark, data)}
    with open(sys.argv[2], "w") as f:
        json.dump(out, f, ensure_ascii=False, indent=0)


main()
