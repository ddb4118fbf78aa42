"""The Nexmark queries as Spark Structured Streaming runs them, over the views person, auction, bid and side_input (session.py).

Columns and their order are those of src/bench/nexmark/queries.ts, so that rows can be compared. Where Spark refuses the query as it is written there, and another
one with the same rows exists that Spark streams, that one is here and `rewritten` says how; check.py shows both facts.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    sql: str
    mode: str = 'append'
    key: tuple = ()  # positions of the columns that name a row, where a row is given again when it changes
    watermark: bool = False  # only where the query needs one: it costs Spark time
    rewritten: str = ''


RANKS = ['', ' FILTER (WHERE price < 10000)', ' FILTER (WHERE price >= 10000 AND price < 1000000)', ' FILTER (WHERE price >= 1000000)']
DAY = "date_format(dateTime, 'yyyy-MM-dd')"


def ranked(call, name, end=''):
    return ', '.join(f'{call}{rank}{end} AS {name}{i}' for i, rank in enumerate(RANKS))


def distinct(column, name):
    return ranked(f'size(collect_set({column})', name, ')').replace(') FILTER', ') FILTER')


# Auctions last at most twice the time of 1,667 events; {seconds} is that. Only one event-time column may reach an aggregation: bidTime is a number.
BIDS_IN_TIME = """(SELECT A.id, A.itemName, A.category, A.seller, A.dateTime AS opened, B.auction, B.bidder, B.price, unix_millis(B.dateTime) AS bidTime
  FROM auction A JOIN bid B ON A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires AND B.dateTime <= A.dateTime + INTERVAL {seconds} SECONDS)"""
WINNING = f"""(SELECT id, itemName, category, seller, opened, max_by(struct(auction, bidder, price, bidTime), struct(price, -bidTime)) AS w
  FROM {BIDS_IN_TIME} GROUP BY id, itemName, category, seller, opened)"""
MAX_BY = 'max_by() of the row instead of row_number()'
SETS = 'size(collect_set()) instead of count(DISTINCT)'

QUERIES = {
    'q0': Query('SELECT auction, bidder, price, dateTime, extra FROM bid'),
    'q1': Query('SELECT auction, bidder, CAST(0.908 * price AS DECIMAL(23, 3)) AS price, dateTime, extra FROM bid'),
    'q2': Query('SELECT auction, price FROM bid WHERE auction % 123 = 0'),
    'q3': Query("""SELECT P.name, P.city, P.state, A.id FROM auction A JOIN person P ON A.seller = P.id
      WHERE A.category = 10 AND P.state IN ('OR', 'ID', 'CA')"""),
    # All data is of one day, which the marker at the end closes.
    'q4': Query(f"""SELECT category, sum(final) AS s, count(*) AS n FROM (SELECT max(price) AS final, category, id, opened FROM {BIDS_IN_TIME} GROUP BY id, category, opened)
      GROUP BY category, window(opened, '1 day')""", watermark=True),
    'q5': Query("""SELECT x.auction, x.num, ws FROM (SELECT ws, explode(filter(l, x -> x.num = m)) AS x
      FROM (SELECT window.start AS ws, max(num) AS m, collect_list(struct(num, auction)) AS l
        FROM (SELECT auction, window, count(*) AS num FROM bid GROUP BY auction, window(dateTime, '10 seconds', '2 seconds')) GROUP BY window))""",
                watermark=True, rewritten='max and collect_list per window instead of rank()'),
    'q6_win': Query(f'SELECT seller, id, w.price, timestamp_millis(w.bidTime) AS bidTime FROM {WINNING}', watermark=True, rewritten=MAX_BY),
    # Exact while no more than ten bids of a window have its highest price.
    'q7': Query("""SELECT x.auction, x.bidder, x.price, x.dateTime, x.extra FROM (SELECT explode(filter(l, x -> x.price = l[0].price)) AS x
      FROM (SELECT max_by(struct(auction, bidder, price, dateTime, extra), price, 10) AS l FROM bid GROUP BY window(dateTime, '10 seconds')))""",
                watermark=True, rewritten='max_by() of ten rows per window instead of rank()'),
    # The published form, a join with the windows' maxima: every bid becomes join state.
    'q7j': Query("""SELECT B.auction, B.bidder, B.price, timestamp_millis(B.at) AS dateTime, B.extra
      FROM (SELECT auction, bidder, price, unix_millis(dateTime) AS at, extra, window(dateTime, '10 seconds') AS w FROM bid) B
      JOIN (SELECT window AS w, max(price) AS maxprice FROM bid GROUP BY window(dateTime, '10 seconds')) M ON B.w = M.w AND B.price = M.maxprice""",
                 watermark=True, rewritten="join with the window's maximum instead of rank()"),
    'q7m': Query("SELECT max(price) AS maxprice FROM bid GROUP BY window(dateTime, '10 seconds')", watermark=True, rewritten='only the maximum, not the bids that have it'),
    'q8': Query("""SELECT P.id, P.name, P.window.start AS ws FROM (SELECT id, name, window FROM person GROUP BY id, name, window(dateTime, '10 seconds')) P
      JOIN (SELECT seller, window FROM auction GROUP BY seller, window(dateTime, '10 seconds')) A ON P.id = A.seller AND P.window = A.window""", watermark=True),
    'q9': Query(f"""SELECT id, itemName, category, seller, w.auction, w.bidder, w.price, timestamp_millis(w.bidTime) AS bidTime
      FROM {WINNING}""", watermark=True, rewritten=MAX_BY),
    'q10': Query(f"SELECT auction, bidder, price, dateTime, extra, {DAY} AS dt, date_format(dateTime, 'HH:mm') AS hm FROM bid"),
    'q11': Query("""SELECT bidder, count(*) AS c, session_window.start AS st, session_window.end AS en
      FROM bid GROUP BY bidder, session_window(dateTime, '10 seconds')""", watermark=True),
    'q12': Query("""SELECT bidder, count(*) AS c, window.start AS st FROM (SELECT bidder, current_timestamp() AS at FROM bid)
      GROUP BY bidder, window(at, '10 seconds')""", mode='update', key=(0, 2)),
    'q13': Query('SELECT B.auction, B.bidder, B.price, B.dateTime, S.value FROM bid B JOIN side_input S ON B.auction % 10000 = S.key'),
    'q14': Query("""SELECT auction, bidder, 0.908 * price AS price, CASE WHEN hour(dateTime) BETWEEN 8 AND 18 THEN 'dayTime'
        WHEN hour(dateTime) <= 6 OR hour(dateTime) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType,
      dateTime, extra, length(extra) - length(replace(extra, 'c', '')) AS c_counts FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000"""),
    'q15': Query(f"SELECT {DAY} AS day, {ranked('count(*)', 'n')}, {distinct('bidder', 'b')}, {distinct('auction', 'a')} FROM bid GROUP BY {DAY}",
                 mode='update', key=(0,), rewritten=SETS),
    'q16': Query(f"""SELECT channel, {DAY} AS day, max(date_format(dateTime, 'HH:mm')) AS minute, {ranked('count(*)', 'n')}, {distinct('bidder', 'b')},
      {distinct('auction', 'a')} FROM bid GROUP BY channel, {DAY}""", mode='update', key=(0, 1), rewritten=SETS),
    'q17': Query(f"""SELECT auction, {DAY} AS day, {ranked('count(*)', 'n')}, min(price) AS lo, max(price) AS hi, sum(price) AS s
      FROM bid GROUP BY auction, {DAY}""", mode='update', key=(0, 1)),
    'q18': Query("""SELECT auction, bidder, l.price, l.channel, l.url, l.dateTime, l.extra FROM (SELECT auction, bidder,
        max_by(struct(price, channel, url, dateTime, extra), dateTime) AS l FROM bid GROUP BY auction, bidder)""", mode='update', key=(0, 1), rewritten=MAX_BY),
    'q19': Query('SELECT auction, price, i + 1 AS rn FROM (SELECT auction, posexplode(max_by(price, price, 10)) AS (i, price) FROM bid GROUP BY auction)',
                 mode='update', key=(0, 2), rewritten='max_by() of ten rows instead of row_number()'),
    'q20': Query("""SELECT B.auction, B.bidder, B.price, B.channel, B.url, B.dateTime, B.extra, A.itemName, A.description, A.initialBid, A.reserve,
        A.dateTime AS auctionTime, A.expires, A.seller, A.category, A.extra AS auctionExtra FROM bid B JOIN auction A ON B.auction = A.id WHERE A.category = 10"""),
    'q21': Query("""SELECT auction, bidder, price, channel, CASE lower(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2'
        WHEN 'baidu' THEN '3' ELSE regexp_extract(url, '(&|^)channel_id=([^&]*)', 2) END AS channel_id
      FROM bid WHERE url RLIKE '(&|^)channel_id=([^&]*)' OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu')"""),
    'q22': Query("""SELECT auction, bidder, price, channel, split_part(url, '/', 4) AS dir1, split_part(url, '/', 5) AS dir2,
      split_part(url, '/', 6) AS dir3 FROM bid"""),
    'q23': Query("""SELECT B.bidder, B.price, B.channel, B.url, B.extra, P.id, P.name, A.itemName, A.id, A.seller, A.category
      FROM bid B JOIN person P ON P.id = B.bidder JOIN auction A ON A.seller = B.bidder"""),
    'count': Query('SELECT auction, count(*) AS n FROM bid GROUP BY auction', mode='update', key=(0,)),
}
