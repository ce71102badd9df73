import type { Uuid } from '../base/uuid.ts';
import { UNASSIGNED_DIRECTORY } from '../metadata/directory-id.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { RECOVERED, partitionToRecord } from '../metadata/partition-registration.ts';
import { type ControllerContext, isActive } from './controller-context.ts';
import { ErrorCode } from '../base/errors.ts';
import { type ApiError, apiError } from './controller-request.ts';
import { placeReplicas } from './placement.ts';

/** Most partitions that one request may make. */
export const MAX_NEW_PARTITIONS = 10_000;

/** The record of a new partition: its active replicas are in sync, the first of them leads. There is at least one. */
export function newPartition(
  context: ControllerContext,
  topicId: Uuid,
  partitionId: number,
  replicas: readonly number[],
): MetadataRecord {
  const { cluster, features } = context.state.image;
  const isr = replicas.filter((replica) => isActive(context, replica));
  const directories = replicas.map((replica) => {
    const logDirs = cluster.broker(replica)?.logDirs ?? [];
    // A broker of several directories chooses one itself and reports it.
    return logDirs.length === 1 ? (logDirs[0] as Uuid) : UNASSIGNED_DIRECTORY;
  });
  return partitionToRecord(
    topicId,
    partitionId,
    {
      replicas,
      directories,
      isr,
      removingReplicas: [],
      addingReplicas: [],
      elr: [],
      lastKnownElr: [],
      leader: isr[0] as number,
      leaderRecoveryState: RECOVERED,
      leaderEpoch: 0,
      partitionEpoch: 0,
    },
    features.metadataVersion,
  );
}

/** Places new partitions on the registered brokers, each with an active replica; or why that cannot be. */
export function placePartitions(
  context: ControllerContext,
  partitionCount: number,
  replicationFactor: number,
): number[][] | ApiError {
  const brokers = [...context.state.image.cluster.brokers.values()].map((broker) => ({
    id: broker.id,
    rack: broker.rack,
    fenced: !isActive(context, broker.id),
  }));
  const placed = placeReplicas(brokers, partitionCount, replicationFactor, context.random);
  if (!('errorCode' in placed)) return placed;
  return apiError(
    placed.errorCode,
    `Unable to replicate the partition ${replicationFactor} time(s): ${placed.errorMessage}`,
  );
}

/** What is wrong with the replicas a client chose for one partition, or null. `replicationFactor` null: any. */
export function assignmentProblem(
  context: ControllerContext,
  partitionId: number,
  replicas: readonly number[],
  replicationFactor: number | null,
): ApiError | null {
  const invalid = (why: string) => apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why);
  if (replicas.length === 0)
    return invalid('The manual partition assignment includes an empty replica list.');
  for (const [i, replica] of replicas.entries()) {
    if (context.state.image.cluster.broker(replica) === undefined) {
      return invalid(
        `The manual partition assignment includes broker ${replica}, but no such broker is registered.`,
      );
    }
    if (replicas.indexOf(replica) !== i) {
      return invalid(`The manual partition assignment includes the broker ${replica} more than once.`);
    }
  }
  if (replicationFactor !== null && replicas.length !== replicationFactor) {
    return invalid(
      `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`,
    );
  }
  if (!replicas.some((replica) => isActive(context, replica))) {
    return invalid(
      `All brokers specified in the manual partition assignment for partition ${partitionId} are fenced or in controlled shutdown.`,
    );
  }
  return null;
}
