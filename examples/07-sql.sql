-- A pipeline in SQL alone:  npx millrace sql examples/07-sql.sql   (in the checkout: paths are relative to where it runs)

-- A stream of files: the watermark makes it one.
CREATE TABLE bids (auction BIGINT, channel STRING, price BIGINT, at TIMESTAMP,
                   WATERMARK FOR at AS at - INTERVAL 5 SECONDS)
  USING json OPTIONS (path 'examples/data/bids.ndjson');

-- Where the result goes: a table of this session.
CREATE TABLE totals (start TIMESTAMP, channel STRING, bids BIGINT, turnover BIGINT);

-- Starts a streaming query. With availableNow it ends by itself, and the script waits for it.
INSERT INTO totals WITH (trigger 'availableNow', queryName 'totals')
SELECT window.start, channel, count(*), sum(price)
FROM bids
GROUP BY window(at, '30 seconds'), channel;

SELECT * FROM totals ORDER BY start, channel;

-- The same table read as a batch, to its end.
FROM bids
|> AGGREGATE count(*) AS bids, max(price) AS best GROUP BY channel
|> ORDER BY bids DESC, channel;
