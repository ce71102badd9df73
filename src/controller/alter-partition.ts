import { ErrorCode } from '../base/errors.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import {
  type PartitionRegistration,
  RECOVERED,
  RECOVERING,
  mergePartition,
} from '../metadata/partition-registration.ts';
import type { TopicImage } from '../metadata/topics-image.ts';
import { type ControllerContext, isActive, isDirectoryOnline, partitionRules } from './controller-context.ts';
import type { ControllerApis, ControllerResult } from './controller-request.ts';
import { changePartition } from './partition-change.ts';

type Request = ControllerApis[56]['request'];
type PartitionRequest = Request['topics'][number]['partitions'][number];
type PartitionResponse = ControllerApis[56]['response']['topics'][number]['partitions'][number];

/** AlterPartition (KIP-497, formats §27): a leader proposes the ISR of its partitions at the epochs it knows. */
export function alterPartition(
  context: ControllerContext,
  request: Request,
  apiVersion: number,
): ControllerResult<ControllerApis[56]['response']> {
  const { cluster, topics } = context.state.image;
  if (cluster.broker(request.brokerId)?.epoch !== request.brokerEpoch) {
    return {
      records: [],
      response: { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] },
    };
  }
  const records: MetadataRecord[] = [];
  const answers = request.topics.map(({ topicId, partitions }) => {
    const topic = topics.byId(topicId);
    return {
      topicId,
      partitions: partitions.map((proposal) => {
        if (topic === undefined) return refused(proposal, ErrorCode.UNKNOWN_TOPIC_ID);
        return alterOne(context, request.brokerId, topic, proposal, apiVersion, records);
      }),
    };
  });
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics: answers } };
}

function alterOne(
  context: ControllerContext,
  brokerId: number,
  topic: TopicImage,
  proposal: PartitionRequest,
  apiVersion: number,
  records: MetadataRecord[],
): PartitionResponse {
  const partition = topic.partition(proposal.partitionIndex);
  if (partition === undefined) return refused(proposal, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const isr = apiVersion >= 3 ? proposal.newIsrWithEpochs.map((state) => state.brokerId) : proposal.newIsr;
  const errorCode =
    epochProblem(brokerId, partition, proposal) ??
    isrProblem(context, brokerId, partition, proposal, isr) ??
    eligibilityProblem(context, proposal, isr, apiVersion);
  if (errorCode !== null) return refused(proposal, errorCode);

  const record = changePartition(
    topic.id,
    proposal.partitionIndex,
    partition,
    { isr, leaderRecoveryState: proposal.leaderRecoveryState },
    partitionRules(
      context,
      topic.name,
      partition,
      (replica) => isActive(context, replica) && isDirectoryOnline(context, partition, replica),
    ),
  );
  // A proposal that changes nothing still succeeds, with the epochs as they are.
  const after = record === null ? partition : mergePartition(partition, record.value);
  if (record !== null) records.push(record);
  return {
    partitionIndex: proposal.partitionIndex,
    errorCode: after.leader === partition.leader ? ErrorCode.NONE : ErrorCode.NEW_LEADER_ELECTED,
    leaderId: after.leader,
    leaderEpoch: after.leaderEpoch,
    isr: [...after.isr],
    leaderRecoveryState: after.leaderRecoveryState,
    partitionEpoch: after.partitionEpoch,
  };
}

function epochProblem(
  brokerId: number,
  partition: PartitionRegistration,
  proposal: PartitionRequest,
): ErrorCode | null {
  // Epochs ahead of ours: the broker has heard of a newer controller.
  if (proposal.leaderEpoch > partition.leaderEpoch || proposal.partitionEpoch > partition.partitionEpoch) {
    return ErrorCode.NOT_CONTROLLER;
  }
  if (proposal.leaderEpoch < partition.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH;
  if (brokerId !== partition.leader) return ErrorCode.INVALID_REQUEST;
  if (proposal.partitionEpoch < partition.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION;
  return null;
}

function isrProblem(
  context: ControllerContext,
  brokerId: number,
  partition: PartitionRegistration,
  proposal: PartitionRequest,
  isr: readonly number[],
): ErrorCode | null {
  const areReplicas = isr.every(
    (replica, i) => partition.replicas.includes(replica) && isr.indexOf(replica) === i,
  );
  if (isr.length === 0 || !areReplicas || !isr.includes(brokerId)) return ErrorCode.INVALID_REQUEST;
  const state = proposal.leaderRecoveryState;
  if (state !== RECOVERED && state !== RECOVERING) return ErrorCode.INVALID_REQUEST;
  if (state === RECOVERING && (isr.length > 1 || partition.leaderRecoveryState === RECOVERED)) {
    return ErrorCode.INVALID_REQUEST;
  }
  return isDirectoryOnline(context, partition, brokerId) ? null : ErrorCode.INVALID_REQUEST;
}

/** A replica that is fenced, shutting down or of another incarnation than the leader saw cannot join the ISR. */
function eligibilityProblem(
  context: ControllerContext,
  proposal: PartitionRequest,
  isr: readonly number[],
  apiVersion: number,
): ErrorCode | null {
  const { cluster } = context.state.image;
  for (const [i, replica] of isr.entries()) {
    const seenEpoch = apiVersion >= 3 ? (proposal.newIsrWithEpochs[i]?.brokerEpoch ?? -1) : -1;
    const isStale = seenEpoch !== -1 && seenEpoch !== cluster.broker(replica)?.epoch;
    if (!isActive(context, replica) || isStale) return ErrorCode.INELIGIBLE_REPLICA;
  }
  return null;
}

function refused(proposal: PartitionRequest, errorCode: ErrorCode): PartitionResponse {
  return {
    partitionIndex: proposal.partitionIndex,
    errorCode,
    leaderId: 0,
    leaderEpoch: 0,
    isr: [],
    partitionEpoch: 0,
  };
}
