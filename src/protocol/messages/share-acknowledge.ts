import {
  array,
  bool,
  int16,
  int32,
  int64,
  message,
  nested,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** ShareAcknowledge: acknowledges records that a member of a share group acquired (KIP-932). */
export const ShareAcknowledgeRequest = message(
  {
    name: 'ShareAcknowledgeRequest',
    kind: 'request',
    apiKey: 79,
    listeners: ['broker'],
    versions: '1-2',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { nullable: '0+', default: null, entityType: 'groupId' }),
    memberId: string('0+', { nullable: '0+' }),
    shareSessionEpoch: int32('0+'),
    isRenewAck: bool('2+', { default: false }),
    topics: structs('0+', 'AcknowledgeTopic', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: structs('0+', 'AcknowledgePartition', {
        partitionIndex: int32('0+', { mapKey: true }),
        acknowledgementBatches: structs('0+', 'AcknowledgementBatch', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          acknowledgeTypes: array('0+', 'int8'),
        }),
      }),
    }),
  }),
);
export type ShareAcknowledgeRequest = MessageOf<typeof ShareAcknowledgeRequest>;

/** Answer to `ShareAcknowledgeRequest`. */
export const ShareAcknowledgeResponse = message(
  { name: 'ShareAcknowledgeResponse', kind: 'response', apiKey: 79, versions: '1-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    acquisitionLockTimeoutMs: int32('2+', { ignorable: true }),
    responses: structs('0+', 'ShareAcknowledgeTopicResponse', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        currentLeader: nested('0+', 'LeaderIdAndEpoch', {
          leaderId: int32('0+'),
          leaderEpoch: int32('0+'),
        }),
      }),
    }),
    nodeEndpoints: structs('0+', 'NodeEndpoint', {
      nodeId: int32('0+', { mapKey: true, entityType: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type ShareAcknowledgeResponse = MessageOf<typeof ShareAcknowledgeResponse>;
