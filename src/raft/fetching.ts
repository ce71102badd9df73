import { ErrorCode } from '../base/errors.ts';
import { METADATA_TOPIC_ID } from '../base/uuid.ts';
import { METADATA_TOPIC_NAME, namedEndpoints, onlyPartition, readCommon, type Reading } from './checks.ts';
import type { Quorum } from './quorum.ts';
import type { Destination, FetchedBatch, RaftApis } from './raft-api.ts';
import type { SentRequest } from './requests.ts';
import type { FollowerState } from './role-states.ts';
import { readyBootstrap, send } from './sending.ts';
import { sendFetchSnapshot } from './snapshot-fetching.ts';
import { FETCH_MAX_WAIT_MS, MAX_FETCH_BYTES } from './timeouts.ts';

type FetchedPartition = RaftApis[1]['response']['responses'][number]['partitions'][number];

/** Asks any bootstrap server for the next records: its answer tells who leads. */
export function fetchFromBootstrap(quorum: Quorum): void {
  const server = readyBootstrap(quorum);
  if (server !== null && mayFetch(quorum))
    send(quorum, server, { apiKey: 1, body: fetchRequest(quorum), minVersion: 15 });
}

/** Asks the leader for the next records, or for the next piece of the snapshot that is on its way. */
export function fetchFromLeader(quorum: Quorum, role: FollowerState, leader: Destination): void {
  if (role.download !== null) return sendFetchSnapshot(quorum, role.download, leader);
  if (mayFetch(quorum)) send(quorum, leader, { apiKey: 1, body: fetchRequest(quorum), minVersion: 15 });
}

/** A fetch says that all below its offset is durable here; an observer's says nothing. */
function mayFetch(quorum: Quorum): boolean {
  return !quorum.options.canBecomeVoter || quorum.log.flushedOffset === quorum.log.endOffset;
}

function fetchRequest(quorum: Quorum): RaftApis[1]['requestInput'] {
  const { options, log } = quorum;
  return {
    clusterId: options.clusterId,
    replicaState: { replicaId: options.nodeId, replicaEpoch: -1 },
    maxWaitMs: FETCH_MAX_WAIT_MS,
    minBytes: 0,
    maxBytes: MAX_FETCH_BYTES,
    topics: [
      {
        topic: METADATA_TOPIC_NAME,
        topicId: METADATA_TOPIC_ID,
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: quorum.epoch,
            fetchOffset: log.endOffset,
            lastFetchedEpoch: log.lastEpoch,
            partitionMaxBytes: MAX_FETCH_BYTES,
            replicaDirectoryId: options.directoryId,
            highWatermark: quorum.highWatermark,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
  };
}

/** Takes an answer to Fetch: records, a cut, or the id of a snapshot. `batches` are the batches in it that are whole. */
export function readFetchAnswer(
  quorum: Quorum,
  sent: SentRequest,
  body: RaftApis[1]['response'],
  batches: readonly FetchedBatch[],
): Reading {
  if (body.errorCode !== ErrorCode.NONE) return 'failed';
  const partition = onlyPartition<FetchedPartition>(
    body.responses,
    // Versions that name topics leave the id zero, and the other way round; the session is of one topic only.
    (i) => body.responses[i]?.topic || body.responses[i]?.topicId || '',
    (one) => one.partitionIndex,
  );
  if (partition === null) return 'failed';
  const { errorCode, currentLeader } = partition;
  const { leaderId, leaderEpoch: epoch } = currentLeader;
  const endpoints = namedEndpoints(quorum, leaderId, body.nodeEndpoints);
  const reading = readCommon(quorum, errorCode, { leaderId, epoch, endpoints });
  if (reading !== 'read') return reading;
  const { role, log } = quorum;
  if (errorCode !== ErrorCode.NONE) return 'failed';
  if (role.name !== 'follower') return 'done';
  const isCurrent =
    sent.epoch === quorum.epoch &&
    sent.logEndOffset === log.endOffset &&
    sent.logGeneration === log.generation;
  if (!isCurrent || role.download !== null) return 'done';
  if (!take(quorum, role, partition, { correlationId: sent.correlationId, batches })) return 'failed';
  heardOfLeader(quorum, role);
  return 'done';
}

/** The leader has answered in full. */
export function heardOfLeader(quorum: Quorum, role: FollowerState): void {
  role.hasFetched = true;
  role.fetchDeadlineMs = quorum.nowMs + quorum.options.timeouts.fetchTimeoutMs;
}

function take(
  quorum: Quorum,
  role: FollowerState,
  partition: FetchedPartition,
  records: { readonly correlationId: number; readonly batches: readonly FetchedBatch[] },
): boolean {
  const { divergingEpoch, snapshotId } = partition;
  if (divergingEpoch.epoch >= 0) {
    if (divergingEpoch.endOffset < quorum.highWatermark) return quorum.truncate(divergingEpoch.endOffset);
    const offset = quorum.log.truncationOffset(divergingEpoch);
    return quorum.truncate(Math.max(offset, quorum.log.startOffset));
  }
  if (snapshotId.epoch >= 0 || snapshotId.endOffset >= 0) {
    if (snapshotId.epoch < 0 || snapshotId.endOffset < 0) return false;
    const id = { endOffset: snapshotId.endOffset, epoch: snapshotId.epoch };
    if (!quorum.log.isBehind(id)) return false;
    role.download = { id, position: 0, isFreezing: false };
    quorum.emit({ type: 'begin-snapshot', id });
    return true;
  }
  appendFetched(quorum, records.correlationId, records.batches);
  const { highWatermark } = partition;
  if (highWatermark >= 0) quorum.raiseHighWatermark(Math.min(highWatermark, quorum.log.endOffset));
  return true;
}

/** Appends what continues the log; the rest of an answer that does not is left out. */
function appendFetched(quorum: Quorum, correlationId: number, batches: readonly FetchedBatch[]): void {
  const { log } = quorum;
  const baseOffset = log.endOffset;
  for (const batch of batches) {
    const fits =
      batch.baseOffset === log.endOffset &&
      batch.endOffset > batch.baseOffset &&
      batch.epoch >= log.lastEpoch &&
      batch.epoch <= quorum.epoch;
    if (!fits) {
      quorum.warn(
        `the leader sent a batch at ${batch.baseOffset} of epoch ${batch.epoch} that does not continue the log at ${log.endOffset} of epoch ${log.lastEpoch}`,
      );
      break;
    }
    log.append(batch.epoch, batch.endOffset - batch.baseOffset);
    for (const { offset, record } of batch.controlRecords) quorum.replay(offset, record);
  }
  if (log.endOffset === baseOffset) return;
  quorum.emit({ type: 'append-fetched', baseOffset, endOffset: log.endOffset, correlationId });
}
