import { ErrorCode } from '../base/errors.ts';
import { METADATA_TOPIC_ID } from '../base/uuid.ts';
import { checkLeaderOnly, isOwnCluster, leaderNode, METADATA_TOPIC_NAME, onlyPartition } from './checks.ts';
import type { FetchPosition } from './log-state.ts';
import type { Quorum } from './quorum.ts';
import type { RaftApis, RaftRequest, RecordsToRead } from './raft-api.ts';
import type { LeaderState, WaitingFetch } from './role-states.ts';
import { recordFetch } from './roles/leader.ts';
import { MAX_FETCH_BYTES } from './timeouts.ts';

/** Most fetches that wait at a leader; further ones are answered at once, with what there is. */
export const MAX_WAITING_FETCHES = 10_000;

type FetchAnswer = RaftApis[1]['responseInput'];
type FetchPartition = RaftApis[1]['request']['topics'][number]['partitions'][number];

/** Answers Fetch of the metadata log, now or when there is something new (formats §25, §26). */
export function handleFetch(quorum: Quorum, request: RaftRequest<1>): void {
  const { body, requestId } = request;
  if (!isOwnCluster(quorum, body.clusterId)) {
    return answer(quorum, requestId, {
      errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID,
      responses: [],
    });
  }
  const hasIds = request.apiVersion >= 13;
  const partition = onlyPartition<FetchPartition>(
    body.topics,
    (i) => (hasIds ? body.topics[i]?.topicId : body.topics[i]?.topic) ?? '',
    (one) => one.partition,
  );
  if (partition === null) {
    return answer(quorum, requestId, { errorCode: ErrorCode.INVALID_REQUEST, responses: [] });
  }
  const { fetchOffset, lastFetchedEpoch, currentLeaderEpoch } = partition;
  const replicaId = request.apiVersion >= 15 ? body.replicaState.replicaId : body.replicaId;
  const isSane =
    body.maxWaitMs >= 0 &&
    fetchOffset >= 0 &&
    lastFetchedEpoch >= 0 &&
    lastFetchedEpoch <= currentLeaderEpoch;
  if (!isSane || replicaId === quorum.options.nodeId) {
    return answer(quorum, requestId, fetchAnswer(quorum, ErrorCode.INVALID_REQUEST));
  }
  const errorCode = checkLeaderOnly(quorum, currentLeaderEpoch);
  const state = quorum.leading;
  if (errorCode !== ErrorCode.NONE || state === null) {
    answer(quorum, requestId, fetchAnswer(quorum, errorCode));
    const isAhead = errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH && state !== null;
    if (isAhead && replicaId >= 0 && body.clusterId !== null) followInto(quorum, currentLeaderEpoch);
    return;
  }
  const waiter: WaitingFetch = {
    requestId,
    deadlineMs: quorum.nowMs + body.maxWaitMs,
    replica: { id: replicaId, directoryId: partition.replicaDirectoryId },
    fetchOffset,
    lastFetchedEpoch,
    highWatermark: partition.highWatermark,
    maxBytes: Math.min(Math.max(body.maxBytes, 0), MAX_FETCH_BYTES),
  };
  const position = quorum.log.positionOf(fetchOffset, lastFetchedEpoch);
  // A replica that differs holds nothing this leader may count.
  if (position.kind === 'valid' && replicaId >= 0) recordFetch(quorum, state, waiter.replica, fetchOffset);
  const isDue = position.kind !== 'valid' || hasNews(quorum, state, waiter) || body.maxWaitMs === 0;
  if (isDue || state.waiting.length >= MAX_WAITING_FETCHES) return serve(quorum, waiter, position);
  state.waiting.push(waiter);
}

/**
 * A replica has heard of a later epoch than this leader's. Its candidate may be gone by now, and a replica never goes back: an observer, which calls no election itself, would
 * be cut off until somebody else does. So the leader gives way to the epoch, as in Raft for any request; a voter in the replica's place could have it do so by Vote. Apache Kafka leaves the
 * observer waiting.
 */
function followInto(quorum: Quorum, epoch: number): void {
  quorum.becomeUnattached(epoch);
}

/** Answers the fetches that waited for what is there now, or long enough. */
export function serveWaiting(quorum: Quorum, state: LeaderState): void {
  if (state.waiting.length === 0) return;
  const due = state.waiting.filter(
    (waiter) => waiter.deadlineMs <= quorum.nowMs || hasNews(quorum, state, waiter),
  );
  if (due.length === 0) return;
  state.waiting = state.waiting.filter((waiter) => !due.includes(waiter));
  for (const waiter of due) {
    serve(quorum, waiter, quorum.log.positionOf(waiter.fetchOffset, waiter.lastFetchedEpoch));
  }
}

/** Tells those who waited for a leader that is none any more. */
export function refuseWaiting(quorum: Quorum, state: LeaderState): void {
  for (const { requestId } of state.waiting) {
    answer(quorum, requestId, fetchAnswer(quorum, ErrorCode.NOT_LEADER_OR_FOLLOWER));
  }
  state.waiting = [];
}

/** High watermark as answers carry it: a leader does not know it before something of its own epoch is committed. */
export function toldHighWatermark(quorum: Quorum): number {
  return quorum.leading?.hasHighWatermark === true ? quorum.highWatermark : -1;
}

function hasNews(quorum: Quorum, state: LeaderState, waiter: WaitingFetch): boolean {
  if (waiter.fetchOffset < quorum.log.endOffset) return true;
  return state.hasHighWatermark && waiter.highWatermark < quorum.highWatermark;
}

function serve(quorum: Quorum, waiter: WaitingFetch, position: FetchPosition): void {
  const { log } = quorum;
  const hasRecords = position.kind === 'valid' && waiter.fetchOffset < log.endOffset;
  const records: RecordsToRead | null = hasRecords
    ? { fromOffset: waiter.fetchOffset, endOffset: log.endOffset, maxBytes: waiter.maxBytes }
    : null;
  answer(quorum, waiter.requestId, fetchAnswer(quorum, ErrorCode.NONE, position), records);
}

function answer(
  quorum: Quorum,
  requestId: number,
  body: FetchAnswer,
  records: RecordsToRead | null = null,
): void {
  quorum.emitMessage({ type: 'answer', requestId, apiKey: 1, body, records, snapshot: null });
}

function fetchAnswer(
  quorum: Quorum,
  errorCode: ErrorCode,
  position: FetchPosition = { kind: 'valid' },
): FetchAnswer {
  const { leaderId, epoch: leaderEpoch } = quorum;
  return {
    errorCode: ErrorCode.NONE,
    responses: [
      {
        topic: METADATA_TOPIC_NAME,
        topicId: METADATA_TOPIC_ID,
        partitions: [
          {
            partitionIndex: 0,
            errorCode,
            logStartOffset: quorum.log.startOffset,
            highWatermark: errorCode === ErrorCode.NONE ? toldHighWatermark(quorum) : -1,
            currentLeader: { leaderId, leaderEpoch },
            ...(position.kind === 'diverging' && { divergingEpoch: position.end }),
            ...(position.kind === 'snapshot' && { snapshotId: position.id }),
            abortedTransactions: null,
            records: null,
          },
        ],
      },
    ],
    nodeEndpoints: leaderNode(quorum).map((node) => ({ ...node, rack: null })),
  };
}
