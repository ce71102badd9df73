import { ErrorCode } from '../base/errors.ts';
import { checkLeaderOnly, isOwnCluster, leaderNode, METADATA_TOPIC_NAME, onlyPartition } from './checks.ts';
import { isBootstrapSnapshot, type SnapshotId } from './log-state.ts';
import type { Quorum } from './quorum.ts';
import type { RaftApis, RaftRequest, SnapshotToRead } from './raft-api.ts';
import { recordContact } from './roles/leader.ts';
import { MAX_FETCH_BYTES } from './timeouts.ts';

const NO_BYTES = Buffer.alloc(0);

type SnapshotAnswer = RaftApis[59]['responseInput'];

/** Answers FetchSnapshot with a piece of a snapshot (KIP-630). */
export function handleFetchSnapshot(quorum: Quorum, request: RaftRequest<59>): void {
  const { body, requestId } = request;
  const answer = (content: SnapshotAnswer, snapshot: SnapshotToRead | null = null): void =>
    quorum.emitMessage({ type: 'answer', requestId, apiKey: 59, body: content, records: null, snapshot });
  if (!isOwnCluster(quorum, body.clusterId)) {
    return answer({ errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, topics: [] });
  }
  const [topic] = body.topics;
  if (body.topics.length !== 1 || topic?.partitions.length !== 1) {
    return answer({ errorCode: ErrorCode.INVALID_REQUEST, topics: [] });
  }
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.name ?? '',
    (one) => one.partition,
  );
  if (partition === null) return answer(errorAnswer(quorum, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  const errorCode = checkLeaderOnly(quorum, partition.currentLeaderEpoch);
  const state = quorum.leading;
  if (errorCode !== ErrorCode.NONE || state === null) return answer(errorAnswer(quorum, errorCode));
  const id = { endOffset: partition.snapshotId.endOffset, epoch: partition.snapshotId.epoch };
  const sizeBytes = quorum.log.snapshotSize(id);
  if (sizeBytes === null || isBootstrapSnapshot(id)) {
    return answer(errorAnswer(quorum, ErrorCode.SNAPSHOT_NOT_FOUND));
  }
  const { position } = partition;
  if (position < 0 || position >= sizeBytes) {
    return answer(errorAnswer(quorum, ErrorCode.POSITION_OUT_OF_RANGE));
  }
  const replica = { id: body.replicaId, directoryId: partition.replicaDirectoryId };
  recordContact(quorum, state, replica);
  const maxBytes = Math.max(1, Math.min(body.maxBytes, MAX_FETCH_BYTES, sizeBytes - position));
  return answer(snapshotAnswer(quorum, ErrorCode.NONE, { id, size: sizeBytes, position }), {
    id,
    position,
    maxBytes,
  });
}

function errorAnswer(quorum: Quorum, errorCode: ErrorCode): SnapshotAnswer {
  return snapshotAnswer(quorum, errorCode, { id: { endOffset: 0, epoch: 0 }, size: 0, position: 0 });
}

function snapshotAnswer(
  quorum: Quorum,
  errorCode: ErrorCode,
  piece: { readonly id: SnapshotId; readonly size: number; readonly position: number },
): SnapshotAnswer {
  return {
    errorCode: ErrorCode.NONE,
    topics: [
      {
        name: METADATA_TOPIC_NAME,
        partitions: [
          {
            index: 0,
            errorCode,
            snapshotId: piece.id,
            currentLeader: { leaderId: quorum.leaderId, leaderEpoch: quorum.epoch },
            size: piece.size,
            position: piece.position,
            unalignedRecords: NO_BYTES,
          },
        ],
      },
    ],
    nodeEndpoints: leaderNode(quorum),
  };
}
