import { ErrorCode } from '../base/errors.ts';
import { METADATA_TOPIC_NAME, onlyPartition } from './checks.ts';
import { toldHighWatermark } from './fetch-serving.ts';
import type { Quorum } from './quorum.ts';
import type { RaftApis, RaftRequest } from './raft-api.ts';
import type { ReplicaProgress } from './role-states.ts';
import { forgetObservers } from './roles/leader.ts';

type QuorumAnswer = RaftApis[55]['responseInput'];

/** Answers DescribeQuorum: how far every replica is. `wallClockAheadMs` turns the machine's times into those of the wall clock. */
export function handleDescribeQuorum(
  quorum: Quorum,
  request: RaftRequest<55>,
  wallClockAheadMs: number,
): void {
  const { body, requestId } = request;
  const answer = (content: QuorumAnswer): void =>
    quorum.emitMessage({
      type: 'answer',
      requestId,
      apiKey: 55,
      body: content,
      records: null,
      snapshot: null,
    });
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.topicName ?? '',
    (one) => one.partitionIndex,
  );
  if (partition === null) {
    return answer({
      errorCode: ErrorCode.NONE,
      topics: body.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) =>
          unknownPartition(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ),
      })),
    });
  }
  const state = quorum.leading;
  if (state === null) {
    const partitions = [unknownPartition(0, ErrorCode.NOT_LEADER_OR_FOLLOWER)];
    return answer({
      errorCode: ErrorCode.NONE,
      topics: [{ topicName: METADATA_TOPIC_NAME, partitions }],
    });
  }
  forgetObservers(quorum, state);
  const describe = (progress: ReplicaProgress) => describeReplica(quorum, progress, wallClockAheadMs);
  return answer({
    errorCode: ErrorCode.NONE,
    topics: [
      {
        topicName: METADATA_TOPIC_NAME,
        partitions: [
          {
            partitionIndex: 0,
            errorCode: ErrorCode.NONE,
            leaderId: quorum.leaderId,
            leaderEpoch: quorum.epoch,
            highWatermark: toldHighWatermark(quorum),
            currentVoters: [...state.voters.values()].map(describe),
            observers: [...state.observers.values()].map(describe),
          },
        ],
      },
    ],
    nodes: quorum.voters.voters.map(({ voterId, endpoints }) => ({ nodeId: voterId, listeners: endpoints })),
  });
}

function unknownPartition(partitionIndex: number, errorCode: ErrorCode) {
  return {
    partitionIndex,
    errorCode,
    leaderId: -1,
    leaderEpoch: -1,
    highWatermark: -1,
    currentVoters: [],
    observers: [],
  };
}

function describeReplica(quorum: Quorum, progress: ReplicaProgress, wallClockAheadMs: number) {
  const isSelf = progress.key.id === quorum.options.nodeId;
  const wall = (timeMs: number): number => (timeMs < 0 ? -1 : timeMs + wallClockAheadMs);
  return {
    replicaId: progress.key.id,
    replicaDirectoryId: isSelf ? quorum.options.directoryId : progress.key.directoryId,
    logEndOffset: isSelf ? quorum.log.endOffset : progress.endOffset,
    lastFetchTimestamp: isSelf ? quorum.nowMs + wallClockAheadMs : wall(progress.lastFetchMs),
    lastCaughtUpTimestamp: isSelf ? quorum.nowMs + wallClockAheadMs : wall(progress.lastCaughtUpMs),
  };
}
