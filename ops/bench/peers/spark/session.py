"""One Spark with 2 threads, and the views of the Nexmark events in it."""
import os

SCHEMA = ('person struct<id:bigint,name:string,emailAddress:string,creditCard:string,city:string,state:string,dateTime:bigint,extra:string>, '
          'auction struct<id:bigint,itemName:string,description:string,initialBid:bigint,reserve:bigint,dateTime:bigint,expires:bigint,seller:bigint,category:bigint,extra:string>, '
          'bid struct<auction:bigint,bidder:bigint,price:bigint,channel:string,url:string,dateTime:bigint,extra:string>')
VIEWS = {
    'person': 'id name emailAddress creditCard city state extra',
    'auction': 'id itemName description initialBid reserve expires:t seller category extra',
    'bid': 'auction bidder price channel url extra',
}
# The events at the end of the files, which close the windows, are no rows of any query. The condition reads the time, so it stays above the watermark.
BEFORE_THE_END = "dateTime < TIMESTAMP '2015-07-17 00:00:00'"
SIDE_INPUT_ROWS = 10_000
ROCKSDB = 'org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider'


def session(scratch, state='rocksdb'):
    """Spark with its own files in `scratch`; `state`: rocksdb, or hdfs for the in-memory store."""
    from pyspark.sql import SparkSession
    b = (SparkSession.builder.master('local[2]').appName('peers').config('spark.driver.memory', '6g').config('spark.sql.shuffle.partitions', '2')
         .config('spark.ui.enabled', 'false').config('spark.sql.session.timeZone', 'UTC').config('spark.local.dir', scratch).config('spark.log.level', 'ERROR')
         .config('spark.sql.warehouse.dir', f'{scratch}/warehouse').config('spark.ui.showConsoleProgress', 'false')
         .config('spark.sql.streaming.numRecentProgressUpdates', '1000').config('spark.sql.files.maxPartitionBytes', '48m'))
    if state == 'rocksdb':
        b = b.config('spark.sql.streaming.stateStore.providerClass', ROCKSDB)
    spark = b.getOrCreate()
    spark.sparkContext.setLogLevel('ERROR')
    return spark


def end(spark):
    """The JVM is gone when this returns."""
    gateway = spark.sparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(30)


def _column(view, text):
    name, _, kind = text.partition(':')
    return f'timestamp_millis({view}.{name}) AS {name}' if kind == 't' else f'{view}.{name}'


def define_views(spark, folder, delay='', files_per_batch=1):
    """Streams of the files of `folder`, in the order of their times; `delay`: the watermark's, none when empty."""
    events = spark.readStream.schema(SCHEMA).option('maxFilesPerTrigger', files_per_batch).json(os.path.abspath(folder))
    for view, columns in VIEWS.items():
        v = events.where(f'{view} IS NOT NULL').selectExpr(*[_column(view, c) for c in columns.split()], f'timestamp_millis({view}.dateTime) AS dateTime')
        if delay:
            v = v.withWatermark('dateTime', delay)
        v.where(BEFORE_THE_END).createOrReplaceTempView(view)
    spark.range(SIDE_INPUT_ROWS).selectExpr('id AS key', 'CAST(id AS STRING) AS value').createOrReplaceTempView('side_input')


def lasting_seconds(delay_us):
    """No auction lasts longer: twice the time of 1,667 events."""
    return -(-2 * 1667 * delay_us // 1_000_000) + 1
