import { ErrorCode } from '../base/errors.ts';
import type { Uuid } from '../base/uuid.ts';
import { isOnlineDirectory } from '../metadata/directory-id.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { hasDirectoryAssignment } from '../metadata/metadata-version.ts';
import { directoryOf } from '../metadata/partition-registration.ts';
import { type ControllerContext, isActive, isDirectoryOnline, partitionRules } from './controller-context.ts';
import type { ControllerApis, ControllerResult } from './controller-request.ts';
import { changePartition } from './partition-change.ts';

type Request = ControllerApis[73]['request'];
type Response = ControllerApis[73]['response'];

/**
 * AssignReplicasToDirs (KIP-858, formats §27): a broker says in which of its directories replicas lie. A replica in a directory that is offline, because it failed before the controller knew
 * what is in it, leaves the ISR.
 */
export function assignReplicasToDirs(
  context: ControllerContext,
  request: Request,
): ControllerResult<Response> {
  const { image } = context.state;
  const refused = (errorCode: ErrorCode) => ({
    records: [],
    response: { throttleTimeMs: 0, errorCode, directories: [] },
  });
  if (!hasDirectoryAssignment(image.features.metadataVersion)) return refused(ErrorCode.UNSUPPORTED_VERSION);
  const broker = image.cluster.broker(request.brokerId);
  if (broker === undefined) return refused(ErrorCode.BROKER_ID_NOT_REGISTERED);
  if (broker.epoch !== request.brokerEpoch) return refused(ErrorCode.STALE_BROKER_EPOCH);
  const records: MetadataRecord[] = [];
  const directories = request.directories.map(({ id, topics }) => ({
    id,
    topics: topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: assignOne(context, broker, { id, topicId, partitionIndex }, records),
      })),
    })),
  }));
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, directories } };
}

function assignOne(
  context: ControllerContext,
  broker: { readonly id: number; readonly logDirs: readonly Uuid[] },
  {
    id,
    topicId,
    partitionIndex,
  }: { readonly id: Uuid; readonly topicId: Uuid; readonly partitionIndex: number },
  records: MetadataRecord[],
): ErrorCode {
  const topic = context.state.image.topics.byId(topicId);
  if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID;
  const partition = topic.partition(partitionIndex);
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  if (!partition.replicas.includes(broker.id)) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
  if (directoryOf(partition, broker.id) === id) return ErrorCode.NONE;
  const isOnline = isOnlineDirectory(id, broker.logDirs);
  const record = changePartition(
    topicId,
    partitionIndex,
    partition,
    {
      directories: new Map([[broker.id, id]]),
      isr: isOnline ? partition.isr : partition.isr.filter((replica) => replica !== broker.id),
    },
    partitionRules(context, topic.name, partition, (replica) => {
      if (!isActive(context, replica)) return false;
      return replica === broker.id ? isOnline : isDirectoryOnline(context, partition, replica);
    }),
  );
  if (record !== null) records.push(record);
  return ErrorCode.NONE;
}
