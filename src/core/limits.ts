/** Every limit and default of the engine, units in the names, relations asserted at the end. */

/** Epochs planned beyond the newest committed one (law 5). */
export const EPOCH_DEPTH = 2;
/** Entries of the commit log that are kept behind the newest one, for readers that are late. */
export const COMMIT_HISTORY = 64;
/** Rows of a frame: flushed when one of the two is reached, and at an epoch's end. */
export const FRAME_ROWS_MAX = 8192;
export const FRAME_BYTES_TARGET = 96 * 1024;
/** Above this a frame is cut, unless it is one row: half of the broker's usual max_payload. */
export const FRAME_BYTES_MAX = 512 * 1024;
/** Bytes and records a publisher has in flight to one log. */
export const PUBLISH_WINDOW_BYTES = 4 * 1024 * 1024;
export const PUBLISH_WINDOW_RECORDS = 512;
/** Small messages that a NATS connector has in flight: the broker must have work while this process computes. Below the 10,000 that a stream lets wait by default. */
export const PIPE_WINDOW_RECORDS = 4096;
/** Bytes asked for and not yet received, over all readers of a connection. */
export const PULL_OUTSTANDING_BYTES = 8 * 1024 * 1024;
/** Bytes that one `Reader.next` gives at most, beside its first record. */
export const READ_BATCH_BYTES = 1024 * 1024;
/** Bytes that a reader asks for at least, however many there are: a frame must fit. */
export const PULL_BYTES_MIN = 160 * 1024;
export const PULL_HEARTBEAT_MS = 500;
/** A publisher that hears nothing for this long sends again. */
export const PUBLISH_SILENCE_MS = 2_000;
/** … or longer, where answers take long, but not longer than this. */
export const PUBLISH_SILENCE_MAX_MS = 30_000;
export const REQUEST_TIMEOUT_MS = 5_000;
/** JetStream reserves a stream's limit on the broker's disk when it is made, so a generous one is not free. */
export const MAILBOX_BYTES_MAX = 128 * 1024 * 1024;
/** Tables that one LevelDB has open: it maps each of 2 MB into memory, up to 1,000 by default. */
export const LEVEL_OPEN_FILES = 128;
/** A broker with less room gets smaller mailboxes, down to this. */
export const MAILBOX_BYTES_MIN = 4 * 1024 * 1024;
/** Logs of control records (plan, commit, assignment, leases): they are trimmed all the time, and every query has three. */
export const CONTROL_LOG_BYTES_MAX = 16 * 1024 * 1024;
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024;
export const SNAPSHOTS_KEPT = 2;
/** Chunks of a snapshot that are on their way to the log at once, and blobs read ahead for it: mailboxes and commits wait behind them. */
export const SNAPSHOT_WINDOW_BYTES = 1024 * 1024;
export const SNAPSHOT_WINDOW_RECORDS = 64;
/** Blobs of a snapshot that are downloaded at once. */
export const SNAPSHOT_READ_BYTES = 8 * 1024 * 1024;
/** So many records of a snapshot log that no longer count, and twice as many as do: the next snapshot is uploaded whole. */
export const SNAPSHOT_CHUNKS_DEAD = 512;
/** How often a new topology's actor looks for the final snapshots it starts from. */
export const FINAL_POLL_MS = 100;
/** A value of the state store of this many bytes is a file of its own beside LevelDB. */
export const STATE_FILE_BYTES = 256 * 1024;
/** A part of the state on disk is one from here on: only some of it is read at a time. */
export const STATE_PART_FILE_BYTES = 32 * 1024;
/** A block of a part of the state on disk: what is read for one row. */
export const PART_BLOCK_BYTES = 2 * 1024;
/** A snapshot is taken after this time or this many bytes of mailbox since the last one, whichever comes first. */
export const SNAPSHOT_INTERVAL_MS = 10_000;
export const SNAPSHOT_MAILBOX_BYTES = 64 * 1024 * 1024;
/** A snapshot is taken after this much of the plan log too: its entries are kept until two snapshots are behind them. */
export const SNAPSHOT_PLAN_BYTES = 2 * 1024 * 1024;
export const LEASE_MS_DEFAULT = 5_000;
/** Acknowledgements are repeated this often until the commit log has them. */
export const ACK_REPEAT_MS = 500;
/** An epoch that is not committed after this time is told in the log, with what it waits for; actors that wait as long start again. */
export const EPOCH_STALL_MS = 30_000;
/** Without hints a source is asked for new input this often. */
export const SOURCE_POLL_MS = 100;
export const RESTARTS_MAX_DEFAULT = 10;
export const RESTART_WINDOW_MS = 60_000;
export const RESTART_BACKOFF_MS = 50;
export const RESTART_BACKOFF_MAX_MS = 5_000;
export const PARTITIONS_DEFAULT = 4;
export const PARTITIONS_MAX = 256;
/** Levels of a recursive query (Spark's default), and runs of a correlated subquery that is no join. */
export const RECURSION_LEVELS_MAX = 100;
export const APPLY_ROWS_MAX = 10_000;
export const RECENT_PROGRESS_MAX = 100;
export const SHUTDOWN_MS = 20_000;
/** The last snapshots of a query that has ended may take so long. */
export const SETTLE_MS = 60_000;
/** A leader that leaves goes on committing what is planned for so long; then the next one does. */
export const LEAVE_COMMIT_MS = 10_000;
export const LEAVE_COMMIT_MS_MAX = 14_000;
export const HTTP_PORT_DEFAULT = 4040;
export const HTTP_BODY_BYTES_MAX = 64 * 1024;
/** Rows that partial aggregation folds before it sends what it has (law 2: by row count, never by memory or time). */
export const PARTIAL_AGGREGATE_ROWS = 131_072;
/** Rows of one batch that an operator emits. */
export const RESULT_ROWS_MAX = 8192;
/** Candidate pairs that a join tests at a time. */
export const JOIN_PAIRS_MAX = 4096;
/** Estimated bytes of one value of user state; nesting of plain data in it. */
export const STATE_VALUE_BYTES_MAX = 8 * 1024 * 1024;
export const STATE_VALUE_DEPTH_MAX = 100;
/** A query without progress for so long is idle: listeners hear it, again and again. */
export const QUERY_IDLE_MS = 10_000;
/** Characters of a row's text in an error. */
export const ROW_TEXT_CHARS_MAX = 300;
/** Processing-time timers are looked at this often when no data comes. */
export const PROCESSING_TIMER_MS = 100;
/** Calls of a mapAsync function under way at a time in one actor. */
export const ASYNC_CONCURRENCY_DEFAULT = 16;

/** Elements of an array that a function makes (sequence, array_repeat), characters of a text (repeat, lpad). Beyond them V8 ends the process or slows to a halt. */
export const ARRAY_ELEMENTS_MAX = 16 * 1024 * 1024;
export const TEXT_CHARS_MAX = 256 * 1024 * 1024;

/** Characters of a SQL text. */
export const SQL_TEXT_CHARS_MAX = 16 * 1024 * 1024;
/** Levels of nesting in SQL (parentheses, subqueries, types): parser, analyser and compiler walk trees by recursion. */
export const SQL_DEPTH_MAX = 300;
/** Links of a left-deep chain in SQL: `a + b + …`, joins, set operations. AND and OR are balanced and have no limit. */
export const SQL_CHAIN_MAX = 1_000;
/** Nodes of one expression when aliases of its select list are put in. */
export const SQL_EXPRESSION_NODES_MAX = 100_000;
/** Sets that GROUPING SETS, CUBE and ROLLUP of one GROUP BY expand to. */
export const GROUPING_SETS_MAX = 4_096;

/** How often a look at committed state begins again because its actor committed meanwhile. */
export const STATE_READ_ATTEMPTS = 5;

/** Relations that the protocol needs; checked by a unit test. */
export const LIMIT_RELATIONS: readonly (readonly [string, boolean])[] = [
  ["a frame fits the publish window", FRAME_BYTES_TARGET * 4 < PUBLISH_WINDOW_BYTES],
  ["a frame is below the usual max_payload of 1 MiB", FRAME_BYTES_MAX * 2 <= 1024 * 1024],
  ["the pull bound is below the server's max_pending of 64 MB", PULL_OUTSTANDING_BYTES < 64 * 1024 * 1024],
  [
    "an early snapshot comes before the mailbox is half full",
    SNAPSHOT_MAILBOX_BYTES * 2 <= MAILBOX_BYTES_MAX,
  ],
  ["committing and draining fit the time of a shutdown", LEAVE_COMMIT_MS_MAX + SHUTDOWN_MS / 4 < SHUTDOWN_MS],
  [
    "the plan log holds what two snapshots and a third one keep",
    SNAPSHOT_PLAN_BYTES * 4 < CONTROL_LOG_BYTES_MAX,
  ],
  ["two snapshots are kept", SNAPSHOTS_KEPT >= 2],
];

/** Rows of a table in the plan that are filtered and projected while the plan of a stream is made. */
export const LOCAL_ROWS_MAX = 10_000;
