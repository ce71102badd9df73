import { ErrorCode } from '../base/errors.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import {
  checkVoterOnly,
  isOwnCluster,
  leaderNode,
  METADATA_TOPIC_NAME,
  namedEndpoints,
  onlyPartition,
  readCommon,
  type Reading,
} from './checks.ts';
import { NO_NODE } from './election-state.ts';
import type { Quorum } from './quorum.ts';
import type { RaftApis, RaftRequest } from './raft-api.ts';
import type { SentRequest } from './requests.ts';
import { send, voterDestination } from './sending.ts';
import { sameReplica, type ReplicaKey } from './voter-set.ts';

type VoteAnswer = RaftApis[52]['responseInput'];

/** Answers Vote (KIP-595, KIP-996). The answer leaves when the vote is durable. */
export function handleVote(quorum: Quorum, request: RaftRequest<52>): void {
  const body = answerVote(quorum, request.body);
  quorum.emitMessage({
    type: 'answer',
    requestId: request.requestId,
    apiKey: 52,
    body,
    records: null,
    snapshot: null,
  });
}

function answerVote(quorum: Quorum, body: RaftApis[52]['request']): VoteAnswer {
  if (!isOwnCluster(quorum, body.clusterId))
    return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, topics: [] };
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.topicName ?? '',
    (one) => one.partitionIndex,
  );
  if (partition === null) return { errorCode: ErrorCode.INVALID_REQUEST, topics: [] };
  const { replicaEpoch, replicaId, lastOffset, lastOffsetEpoch, preVote } = partition;
  const isEpochSane = preVote ? lastOffsetEpoch <= replicaEpoch : lastOffsetEpoch < replicaEpoch;
  if (lastOffset < 0 || lastOffsetEpoch < 0 || !isEpochSane) {
    return voteAnswer(quorum, ErrorCode.INVALID_REQUEST, false);
  }
  const errorCode = checkVoterOnly(quorum, replicaId, replicaEpoch);
  if (errorCode !== ErrorCode.NONE) return voteAnswer(quorum, errorCode, false);
  if (replicaEpoch > quorum.epoch) quorum.becomeUnattached(replicaEpoch);
  const isMeant =
    body.voterId === NO_NODE ||
    (body.voterId === quorum.options.nodeId &&
      (partition.voterDirectoryId === ZERO_UUID ||
        partition.voterDirectoryId === quorum.options.directoryId));
  if (!isMeant) return voteAnswer(quorum, ErrorCode.INVALID_VOTER_KEY, false);
  const candidate = { id: replicaId, directoryId: partition.replicaDirectoryId };
  const isUpToDate =
    lastOffsetEpoch > quorum.log.lastEpoch ||
    (lastOffsetEpoch === quorum.log.lastEpoch && lastOffset >= quorum.log.endOffset);
  const isGranted = preVote
    ? isUpToDate && mayPreVote(quorum)
    : replicaEpoch === quorum.epoch && mayVote(quorum, candidate, isUpToDate);
  if (isGranted && !preVote && quorum.vote === null) quorum.voteFor(candidate);
  return voteAnswer(quorum, ErrorCode.NONE, isGranted);
}

/**
 * A pre-vote says only that this node, too, would have a new leader: not while it leads or hears of one. An observer that has not heard of its leader in time still
 * follows it, but may be a voter that does not know it yet: the others may need it.
 */
function mayPreVote(quorum: Quorum): boolean {
  const { role } = quorum;
  if (role.name === 'leader') return false;
  return role.name !== 'follower' || !role.hasFetched || role.fetchDeadlineMs <= quorum.nowMs;
}

function mayVote(quorum: Quorum, candidate: ReplicaKey, isUpToDate: boolean): boolean {
  const { role, vote } = quorum;
  if (role.name !== 'unattached' && role.name !== 'prospective') return false;
  if (candidate.id === quorum.options.nodeId) return false;
  if (vote !== null) {
    return sameReplica(vote, candidate) || (vote.id === candidate.id && vote.directoryId === ZERO_UUID);
  }
  return quorum.leaderId === NO_NODE && isUpToDate;
}

function voteAnswer(quorum: Quorum, errorCode: ErrorCode, voteGranted: boolean): VoteAnswer {
  const { leaderId, epoch: leaderEpoch } = quorum;
  return {
    errorCode: ErrorCode.NONE,
    topics: [
      {
        topicName: METADATA_TOPIC_NAME,
        partitions: [{ partitionIndex: 0, errorCode, leaderId, leaderEpoch, voteGranted }],
      },
    ],
    nodeEndpoints: leaderNode(quorum),
  };
}

/**
 * Asks all voters that have not answered yet for their vote, or pre-vote. A candidate asks once its log is durable as it says it is: it asks in the same epoch after a
 * restart, and who voted for it then does so again.
 */
export function sendVotes(quorum: Quorum): void {
  const { role, log, options } = quorum;
  if (role.name !== 'candidate' && role.name !== 'prospective') return;
  if (role.votes.isLost) return;
  const preVote = role.name === 'prospective';
  if (!preVote && log.flushedOffset < log.endOffset) return;
  for (const voterId of role.votes.silent) {
    const destination = voterDestination(quorum, voterId);
    if (voterId === options.nodeId || destination === null) continue;
    const body: RaftApis[52]['requestInput'] = {
      clusterId: options.clusterId,
      voterId,
      topics: [
        {
          topicName: METADATA_TOPIC_NAME,
          partitions: [
            {
              partitionIndex: 0,
              replicaEpoch: quorum.epoch,
              replicaId: options.nodeId,
              replicaDirectoryId: options.directoryId,
              voterDirectoryId: quorum.voters.get(voterId)?.voterDirectoryId ?? ZERO_UUID,
              lastOffsetEpoch: log.lastEpoch,
              lastOffset: log.endOffset,
              preVote,
            },
          ],
        },
      ],
    };
    send(quorum, destination, { apiKey: 52, body, minVersion: preVote ? 2 : 0 });
  }
}

/** Counts an answer to Vote. */
export function readVoteAnswer(quorum: Quorum, sent: SentRequest, body: RaftApis[52]['response']): Reading {
  if (body.errorCode !== ErrorCode.NONE) return 'failed';
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.topicName ?? '',
    (one) => one.partitionIndex,
  );
  if (partition === null) return 'failed';
  const { errorCode, leaderId, leaderEpoch } = partition;
  const endpoints = namedEndpoints(quorum, leaderId, body.nodeEndpoints);
  const reading = readCommon(quorum, errorCode, { leaderId, epoch: leaderEpoch, endpoints });
  if (reading !== 'read') return reading;
  if (errorCode !== ErrorCode.NONE) return 'failed';
  const { role } = quorum;
  // The answer counts for the election it was asked in, and for no other.
  if (role !== sent.role || (role.name !== 'candidate' && role.name !== 'prospective')) return 'done';
  role.votes.record(sent.destination.id, partition.voteGranted);
  return 'done';
}
