/**
 * A model of what a row, a frame, an epoch and an actor cost, and of what saturates first at 10, 100 and 1,000 nodes. `npx tsx ops/bench/model.ts` prints the
 * tables of scaling.md; `--epoch-ms`, `--rows` (a second and node), `--lease-ms` and `--load` change what is asked.
 *
 * The form: an open queueing network in steady state. Each resource is a server whose utilisation is the sum of arrivals times the service time measured for them;
 * a resource above 1 has no steady state; the waiting time of an epoch's way is that of M/D/1, rho / (2 mu (1 - rho)). Counts of messages come from the protocol:
 *
 *   frames   one producer sends every reader of an exchange a `last` in every epoch (outbox X1), and rows in frames of about FRAME_BYTES_TARGET
 *   acks     one for each actor and epoch, over core NATS to the leader, who also hears the maxima of each split
 *   plan     one entry an epoch, a range for each split, read by every node; the commit entry, likewise, of fixed size
 *   leases   five renewals a lease and node, each read by every node
 *   snapshot every 10 s: what changed, into a log of the actor
 *
 * Assumed, not measured: one broker process (no cluster, no replication), deliveries to many readers cost what they cost to one, actors are spread evenly, keys
 * are not skewed, nodes have a core for each actor.
 */
import { parseArgs } from "node:util";
import { FRAME_BYTES_TARGET, LEASE_MS_DEFAULT, SNAPSHOT_INTERVAL_MS } from "../../src/core/limits.ts";
import { markdownTable, type ReportRow } from "../../src/bench/report.ts";

/** Seconds are of one core. The command that measures each is in scaling.md. */
interface Parameters {
  /** Decoding and operators, for a row in. */
  readonly rowSeconds: number;
  /** Rows that leave for another node, of a row in (after partial aggregation). */
  readonly exchanged: number;
  /** Encoding, publishing, reading and decoding of an exchanged row, both sides together. */
  readonly exchangeRowSeconds: number;
  readonly exchangeRowBytes: number;
  /** What a frame costs its sender and its reader beside its rows. */
  readonly frameSeconds: number;
  /** What an epoch costs an actor: plan entry, commit, acknowledgement. */
  readonly actorEpochSeconds: number;
  /** The broker's CPU time for a message published into a file stream, for one delivered, and for a byte of either. */
  readonly brokerPublishSeconds: number;
  readonly brokerDeliverSeconds: number;
  readonly brokerByteSeconds: number;
  /** Messages that are not stored. */
  readonly brokerCoreSeconds: number;
  readonly brokerCores: number;
  readonly networkBytesPerSecond: number;
  /** Decoding and bookkeeping of one acknowledgement at the leader. */
  readonly ackSeconds: number;
  readonly leaseSeconds: number;
  readonly planBytesPerSplit: number;
  /** Of a `last`, an acknowledgement, a lease record, a commit entry. */
  readonly smallBytes: number;
  /** State that changes in a second on one node. */
  readonly changedBytesPerSecond: number;
}

const COUNT_PER_KEY: Parameters = {
  rowSeconds: 1.0e-6,
  exchanged: 0.05,
  exchangeRowSeconds: 1e-6,
  exchangeRowBytes: 12,
  frameSeconds: 30e-6,
  actorEpochSeconds: 0.58e-3,
  brokerPublishSeconds: 4.4e-6,
  brokerDeliverSeconds: 1.8e-6,
  brokerByteSeconds: 2.1e-9,
  brokerCoreSeconds: 0.7e-6,
  brokerCores: 2,
  networkBytesPerSecond: 1.25e9,
  ackSeconds: 8e-6,
  leaseSeconds: 8e-6,
  planBytesPerSplit: 60,
  smallBytes: 160,
  changedBytesPerSecond: 200e3,
};

interface Question {
  readonly nodes: number;
  /** Source splits and partitions of the keyed stage of one node. */
  readonly actorsPerNode: number;
  readonly epochSeconds: number;
  /** In, of all sources of one node. */
  readonly rowsPerSecondAndNode: number;
  readonly leaseMs: number;
}

export interface Load {
  readonly resource: string;
  /** 1 is saturated. */
  readonly utilisation: number;
  /** What grows with the number of nodes, and how. */
  readonly grows: string;
}

/** What happens in a second, in all. */
const countsOf = (p: Parameters, q: Question) => {
  const { nodes, actorsPerNode } = q;
  const epochs = 1 / q.epochSeconds;
  const [splits, partitions] = [nodes * actorsPerNode, nodes * actorsPerNode];
  const rowBytes = q.rowsPerSecondAndNode * nodes * p.exchanged * p.exchangeRowBytes;
  // Rows that do not fill frames travel with the `last`.
  const frames = splits * partitions * epochs + rowBytes / FRAME_BYTES_TARGET;
  const frameBytes = rowBytes + frames * p.smallBytes;
  const acks = (splits + partitions) * epochs;
  const entries = 2 * epochs;
  const entryBytes = epochs * (splits * p.planBytesPerSplit + p.smallBytes);
  const renewals = (nodes * 5 * 1000) / q.leaseMs;
  const snapshots = (partitions * 2 * 1000) / SNAPSHOT_INTERVAL_MS;
  const stored = frames + entries + renewals + snapshots;
  const delivered = frames + (entries + renewals) * nodes;
  const inBytes = frameBytes + entryBytes + renewals * p.smallBytes + nodes * p.changedBytesPerSecond;
  const outBytes = frameBytes + (entryBytes + renewals * p.smallBytes) * nodes;
  return {
    epochs,
    frames,
    frameBytes,
    acks,
    entries,
    entryBytes,
    renewals,
    snapshots,
    stored,
    delivered,
    inBytes,
    outBytes,
  };
};

const nodeSeconds = (p: Parameters, q: Question, frames: number, renewals: number): number =>
  q.rowsPerSecondAndNode * (p.rowSeconds + p.exchanged * p.exchangeRowSeconds) +
  ((2 * frames) / q.nodes) * p.frameSeconds +
  ((2 * q.actorsPerNode) / q.epochSeconds) * p.actorEpochSeconds +
  renewals * p.leaseSeconds;

/** Utilisation of every resource, the fullest first. */
export const loads = (p: Parameters, q: Question): readonly Load[] => {
  const { nodes, actorsPerNode } = q;
  const c = countsOf(p, q);
  const { frames, frameBytes, acks, entries, entryBytes, renewals, snapshots, outBytes } = c;
  const { stored, delivered, inBytes } = c;
  const ofNode = nodeSeconds(p, q, frames, renewals);
  const cpu = (seconds: number): number => seconds / p.brokerCores;
  return [
    {
      resource: "node: rows",
      utilisation: (q.rowsPerSecondAndNode * p.rowSeconds) / actorsPerNode,
      grows: "-",
    },
    { resource: "node: all", utilisation: ofNode / actorsPerNode, grows: "frames, leases" },
    {
      resource: "broker CPU: frames of the exchange",
      utilisation: cpu(
        frames * (p.brokerPublishSeconds + p.brokerDeliverSeconds) + 2 * frameBytes * p.brokerByteSeconds,
      ),
      grows: "actors squared",
    },
    {
      resource: "broker CPU: leases",
      utilisation: cpu(renewals * (p.brokerPublishSeconds + nodes * p.brokerDeliverSeconds)),
      grows: "nodes squared",
    },
    {
      resource: "broker CPU: plan and commit entries",
      utilisation: cpu(
        entries * (p.brokerPublishSeconds + nodes * p.brokerDeliverSeconds) +
          entryBytes * nodes * p.brokerByteSeconds,
      ),
      grows: "nodes x splits",
    },
    {
      resource: "broker CPU: acknowledgements",
      utilisation: cpu(acks * p.brokerCoreSeconds),
      grows: "actors",
    },
    {
      resource: "broker CPU: snapshots",
      utilisation: cpu(
        snapshots * p.brokerPublishSeconds + nodes * p.changedBytesPerSecond * p.brokerByteSeconds,
      ),
      grows: "actors",
    },
    {
      resource: "broker CPU: all",
      utilisation: cpu(
        stored * p.brokerPublishSeconds +
          delivered * p.brokerDeliverSeconds +
          acks * p.brokerCoreSeconds +
          (inBytes + outBytes) * p.brokerByteSeconds,
      ),
      grows: "",
    },
    {
      resource: "broker network, out",
      utilisation: outBytes / p.networkBytesPerSecond,
      grows: "nodes squared",
    },
    { resource: "leader: acknowledgements", utilisation: acks * p.ackSeconds, grows: "actors" },
  ].sort((a, b) => b.utilisation - a.utilisation);
};

const of = (all: readonly Load[], resource: string): number =>
  all.find((l) => l.resource === resource)!.utilisation;

/** The shortest epoch, in seconds, at which nothing is fuller than `limit`; undefined where even a minute is too short. */
export const shortestEpoch = (p: Parameters, q: Question, limit: number): number | undefined => {
  const fits = (epochSeconds: number): boolean =>
    loads(p, { ...q, epochSeconds }).every((l) => l.utilisation <= limit);
  let [low, high] = [1e-3, 60];
  if (!fits(high)) return undefined;
  for (let i = 0; i < 40; i++) {
    const middle = Math.sqrt(low * high);
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
};

/** Mean wait of a message at the broker, milliseconds: M/D/1 with the mean service time of a stored message. */
export const brokerWaitMs = (p: Parameters, all: readonly Load[]): number => {
  const rho = of(all, "broker CPU: all");
  const service = (p.brokerPublishSeconds + p.brokerDeliverSeconds) / p.brokerCores;
  return rho >= 1 ? Infinity : (1000 * service * rho) / (2 * (1 - rho));
};

const NODES = [10, 100, 1_000];

const shown = (x: number): string => (x === Infinity ? "no steady state" : x.toPrecision(2));

const main = (): void => {
  const { values } = parseArgs({
    options: {
      "epoch-ms": { type: "string", default: "1000" },
      rows: { type: "string", default: "200000" },
      load: { type: "string", default: "0.7" },
      "lease-ms": { type: "string", default: String(LEASE_MS_DEFAULT) },
    },
  });
  const p = COUNT_PER_KEY;
  const limit = Number(values.load);
  const question = (nodes: number): Question => ({
    nodes,
    actorsPerNode: 1,
    epochSeconds: Number(values["epoch-ms"]) / 1000,
    rowsPerSecondAndNode: Number(values.rows),
    leaseMs: Number(values["lease-ms"]),
  });
  const columns = NODES.map((n) => loads(p, question(n)));
  const rows: ReportRow[] = columns[0]!.map(({ resource, grows }) => ({
    resource,
    grows,
    ...Object.fromEntries(NODES.map((n, i) => [`${n} nodes`, shown(of(columns[i]!, resource))])),
  }));
  console.log(`Utilisation, epochs of ${values["epoch-ms"]} ms, ${values.rows} rows/s and node\n`);
  console.log(markdownTable(rows));
  const summary: ReportRow[] = NODES.map((n, i) => {
    const q = question(n);
    const shortest = shortestEpoch(p, q, limit);
    return {
      nodes: n,
      "fullest of all": columns[i]!.find((l) => !l.resource.endsWith("all"))!.resource,
      "broker wait, ms": shown(brokerWaitMs(p, columns[i]!)),
      [`shortest epoch at load ${limit}`]:
        shortest === undefined ? "none up to 60 s" : `${shown(shortest)} s`,
      "of it, bound by":
        shortest === undefined ? "(see above)" : loads(p, { ...q, epochSeconds: shortest })[0]!.resource,
    };
  });
  console.log(`\n${markdownTable(summary)}`);
};

if (process.argv[1] === import.meta.filename) main();
