import { ErrorCode, invalidatesMetadata } from '../base/errors.ts';
import type { ListOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import { LIST_OFFSETS } from './apis.ts';
import { brokerAnswer, ClientError } from './client-error.ts';
import type { Cluster } from './cluster.ts';

/** Timestamps that stand for places in the log. Source: ListOffsets (KIP-79, KIP-734). */
export const OffsetSpec = {
  /** Log end: the offset of the next record. */
  LATEST: -1,
  /** Log start. */
  EARLIEST: -2,
  /** The record with the largest timestamp. */
  MAX_TIMESTAMP: -3,
} as const;

/** Up to where a consumer reads (KIP-98). */
export const IsolationLevel = {
  /** To the high watermark. */
  READ_UNCOMMITTED: 0,
  /** To the last stable offset, aborted transactions left out. */
  READ_COMMITTED: 1,
} as const;

/** A value of the table `IsolationLevel`. */
export type IsolationLevel = (typeof IsolationLevel)[keyof typeof IsolationLevel];

/** What is looked for in one partition. */
export interface OffsetQuery {
  readonly topic: string;
  readonly partition: number;
  /** First record with this timestamp (ms) or a later one, or a value of `OffsetSpec`. */
  readonly timestampMs: number;
}

/** What was found. */
export interface FoundOffset {
  readonly topic: string;
  readonly partition: number;
  /** -1 when there is no such record, or on an error. */
  readonly offset: number;
  /** Timestamp of that record, -1 when none was asked for. */
  readonly timestampMs: number;
  readonly leaderEpoch: number;
  readonly error: ClientError | null;
}

/**
 * Asks the leader of each partition once; the metadata must name them. `LATEST` is where a reader of `isolationLevel` stops. `done` is called once with an outcome for each query, in their order.
 */
export function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  done: (found: FoundOffset[]) => void,
  isolationLevel: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
): void {
  const groups = groupsOf(cluster, queries);
  const results = new Map<OffsetQuery, FoundOffset>();
  let open = groups.length;
  const finish = () => {
    if (--open === 0) done(queries.map((query) => results.get(query) as FoundOffset));
  };
  if (open === 0) done([]);
  for (const { leader, queries: asked } of groups) {
    if (leader < 0) {
      for (const query of asked) results.set(query, failed(query, noLeader(query)));
      finish();
      continue;
    }
    askLeader(cluster, { leader, queries: asked }, isolationLevel, (answer) => {
      for (const query of asked) results.set(query, outcomeOf(query, answer));
      finish();
    });
  }
}

interface Group {
  readonly leader: number;
  readonly queries: OffsetQuery[];
}

/** One group per request: a broker refuses one that names a partition twice. */
function groupsOf(cluster: Cluster, queries: readonly OffsetQuery[]): Group[] {
  const groups = new Map<string, Group>();
  const times = new Map<string, number>();
  for (const query of queries) {
    const { topic, partition } = query;
    const time = (times.get(`${topic}-${partition}`) ?? 0) + 1;
    times.set(`${topic}-${partition}`, time);
    const leader = cluster.metadata.leader(topic, partition);
    const group = groups.get(`${leader}/${time}`);
    if (group === undefined) groups.set(`${leader}/${time}`, { leader, queries: [query] });
    else group.queries.push(query);
  }
  return [...groups.values()];
}

function askLeader(
  cluster: Cluster,
  { leader, queries }: Group,
  isolationLevel: IsolationLevel,
  done: (answer: ListOffsetsResponse | ClientError) => void,
): void {
  const topics = [...Map.groupBy(queries, ({ topic }) => topic)].map(([name, partitions]) => ({
    name,
    partitions: partitions.map(({ topic, partition, timestampMs }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: cluster.metadata.leaderEpoch(topic, partition),
      timestamp: timestampMs,
    })),
  }));
  const request = { replicaId: -1, isolationLevel, topics, timeoutMs: cluster.requestTimeoutMs };
  cluster.send(leader, LIST_OFFSETS, () => request, {}, done);
}

function outcomeOf(query: OffsetQuery, answer: ListOffsetsResponse | ClientError): FoundOffset {
  if (answer instanceof ClientError) return failed(query, answer);
  const found = answer.topics
    .find(({ name }) => name === query.topic)
    ?.partitions.find(({ partitionIndex }) => partitionIndex === query.partition);
  const what = `offset of ${query.topic}-${query.partition}`;
  if (found === undefined) {
    return failed(query, new ClientError('MALFORMED_RESPONSE', `no answer for the ${what}`));
  }
  if (found.errorCode !== ErrorCode.NONE) return failed(query, brokerAnswer(what, found.errorCode));
  const { topic, partition } = query;
  const { offset, leaderEpoch } = found;
  return { topic, partition, offset, timestampMs: Number(found.timestamp), leaderEpoch, error: null };
}

function failed(query: OffsetQuery, error: ClientError): FoundOffset {
  const { topic, partition } = query;
  return { topic, partition, offset: -1, timestampMs: -1, leaderEpoch: -1, error };
}

function noLeader({ topic, partition }: OffsetQuery): ClientError {
  return brokerAnswer(`offset of ${topic}-${partition}`, ErrorCode.LEADER_NOT_AVAILABLE);
}

/** True if a failed lookup may succeed after the metadata was asked for again. */
export function needsMetadata(error: ClientError): boolean {
  return error.reason === 'BROKER_ANSWER' ? invalidatesMetadata(error.errorCode) : error.retriable;
}
