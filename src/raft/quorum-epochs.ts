import { ErrorCode } from '../base/errors.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import {
  adopt,
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
import { successionBackoffMs } from './timeouts.ts';
import type { Endpoint, ReplicaKey } from './voter-set.ts';

type EpochAnswer = RaftApis[53]['responseInput'];

/** Answers BeginQuorumEpoch: the sender leads its epoch. */
export function handleBeginQuorumEpoch(quorum: Quorum, request: RaftRequest<53>): void {
  const body = answerBegin(quorum, request.body);
  answerWith(quorum, request.requestId, 53, body);
}

function answerBegin(quorum: Quorum, body: RaftApis[53]['request']): EpochAnswer {
  if (!isOwnCluster(quorum, body.clusterId))
    return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, topics: [] };
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.topicName ?? '',
    (one) => one.partitionIndex,
  );
  if (partition === null) return { errorCode: ErrorCode.INVALID_REQUEST, topics: [] };
  const { leaderId, leaderEpoch: epoch } = partition;
  const errorCode = checkVoterOnly(quorum, leaderId, epoch);
  if (errorCode !== ErrorCode.NONE) return epochAnswer(quorum, errorCode);
  const endpoints = toldEndpoints(quorum, leaderId, body.leaderEndpoints);
  if (!adopt(quorum, { leaderId, epoch, endpoints })) return epochAnswer(quorum, ErrorCode.INVALID_REQUEST);
  const isMeant =
    body.voterId === NO_NODE ||
    (body.voterId === quorum.options.nodeId &&
      (partition.voterDirectoryId === ZERO_UUID ||
        partition.voterDirectoryId === quorum.options.directoryId));
  return epochAnswer(quorum, isMeant ? ErrorCode.NONE : ErrorCode.INVALID_VOTER_KEY);
}

/** Answers EndQuorumEpoch: the leader leads no more, and names who should follow it. */
export function handleEndQuorumEpoch(quorum: Quorum, request: RaftRequest<54>): void {
  const body = answerEnd(quorum, request.body);
  answerWith(quorum, request.requestId, 54, body);
}

function answerEnd(quorum: Quorum, body: RaftApis[54]['request']): EpochAnswer {
  if (!isOwnCluster(quorum, body.clusterId))
    return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, topics: [] };
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.topicName ?? '',
    (one) => one.partitionIndex,
  );
  if (partition === null) return { errorCode: ErrorCode.INVALID_REQUEST, topics: [] };
  const { leaderId, leaderEpoch: epoch } = partition;
  const errorCode = checkVoterOnly(quorum, leaderId, epoch);
  if (errorCode !== ErrorCode.NONE) return epochAnswer(quorum, errorCode);
  const endpoints = toldEndpoints(quorum, leaderId, body.leaderEndpoints);
  if (!adopt(quorum, { leaderId, epoch, endpoints })) return epochAnswer(quorum, ErrorCode.INVALID_REQUEST);
  const { role } = quorum;
  if (role.name === 'follower' && role.leaderId === leaderId) {
    const successors: ReplicaKey[] =
      partition.preferredCandidates.length > 0
        ? partition.preferredCandidates.map((one) => ({
            id: one.candidateId,
            directoryId: one.candidateDirectoryId,
          }))
        : partition.preferredSuccessors.map((id) => ({ id, directoryId: ZERO_UUID }));
    const { options } = quorum;
    const place = successors.findIndex(
      ({ id, directoryId }) =>
        id === options.nodeId && (directoryId === ZERO_UUID || directoryId === options.directoryId),
    );
    const backoffMs = successionBackoffMs(place, successors.length, options.timeouts);
    role.fetchDeadlineMs = quorum.nowMs + backoffMs;
  }
  return epochAnswer(quorum, ErrorCode.NONE);
}

function toldEndpoints(
  quorum: Quorum,
  leaderId: number,
  endpoints: readonly Endpoint[],
): readonly Endpoint[] {
  return endpoints.length > 0 ? endpoints : quorum.voters.endpointsOf(leaderId);
}

function epochAnswer(quorum: Quorum, errorCode: ErrorCode): EpochAnswer {
  const { leaderId, epoch: leaderEpoch } = quorum;
  return {
    errorCode: ErrorCode.NONE,
    topics: [
      {
        topicName: METADATA_TOPIC_NAME,
        partitions: [{ partitionIndex: 0, errorCode, leaderId, leaderEpoch }],
      },
    ],
    nodeEndpoints: leaderNode(quorum),
  };
}

function answerWith(quorum: Quorum, requestId: number, apiKey: 53 | 54, body: EpochAnswer): void {
  quorum.emitMessage({ type: 'answer', requestId, apiKey, body, records: null, snapshot: null });
}

/** Tells a voter that this node leads. */
export function sendBeginQuorumEpoch(quorum: Quorum, voterId: number): void {
  const destination = voterDestination(quorum, voterId);
  if (destination === null) return;
  const { options } = quorum;
  send(quorum, destination, {
    apiKey: 53,
    body: {
      clusterId: options.clusterId,
      voterId,
      topics: [
        {
          topicName: METADATA_TOPIC_NAME,
          partitions: [
            {
              partitionIndex: 0,
              voterDirectoryId: quorum.voters.get(voterId)?.voterDirectoryId ?? ZERO_UUID,
              leaderId: options.nodeId,
              leaderEpoch: quorum.epoch,
            },
          ],
        },
      ],
      leaderEndpoints: options.endpoints,
    },
  });
}

/** Tells a voter that this node leads no more. */
export function sendEndQuorumEpoch(quorum: Quorum, voterId: number, successors: readonly ReplicaKey[]): void {
  const destination = voterDestination(quorum, voterId);
  if (destination === null) return;
  const { options } = quorum;
  send(quorum, destination, {
    apiKey: 54,
    body: {
      clusterId: options.clusterId,
      topics: [
        {
          topicName: METADATA_TOPIC_NAME,
          partitions: [
            {
              partitionIndex: 0,
              leaderId: options.nodeId,
              leaderEpoch: quorum.epoch,
              preferredSuccessors: successors.map(({ id }) => id),
              preferredCandidates: successors.map(({ id, directoryId }) => ({
                candidateId: id,
                candidateDirectoryId: directoryId,
              })),
            },
          ],
        },
      ],
      leaderEndpoints: options.endpoints,
    },
  });
}

/** Reads an answer to BeginQuorumEpoch or EndQuorumEpoch. */
export function readEpochAnswer(
  quorum: Quorum,
  sent: SentRequest,
  body: RaftApis[53]['response'] | RaftApis[54]['response'],
): Reading {
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
  if (role.name === 'leader' && sent.apiKey === 53) {
    const progress = role.voters.get(sent.destination.id);
    if (progress !== undefined) progress.hasAcknowledged = true;
  }
  if (role.name === 'resigned' && sent.apiKey === 54) role.unacknowledged.delete(sent.destination.id);
  return 'done';
}
