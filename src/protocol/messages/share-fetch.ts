import {
  array,
  bool,
  int16,
  int32,
  int64,
  int8,
  message,
  nested,
  records,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** ShareFetch: acquires records for a member of a share group, and acknowledges earlier ones (KIP-932). */
export const ShareFetchRequest = message(
  {
    name: 'ShareFetchRequest',
    kind: 'request',
    apiKey: 78,
    listeners: ['broker'],
    versions: '1-2',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { nullable: '0+', default: null, entityType: 'groupId' }),
    memberId: string('0+', { nullable: '0+' }),
    shareSessionEpoch: int32('0+'),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('0+', { default: 2147483647 }),
    maxRecords: int32('1+'),
    batchSize: int32('1+'),
    shareAcquireMode: int8('2+', { default: 0, ignorable: true }),
    isRenewAck: bool('2+', { default: false }),
    topics: structs('0+', 'FetchTopic', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: structs('0+', 'FetchPartition', {
        partitionIndex: int32('0+', { mapKey: true }),
        partitionMaxBytes: int32('0'),
        acknowledgementBatches: structs('0+', 'AcknowledgementBatch', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          acknowledgeTypes: array('0+', 'int8'),
        }),
      }),
    }),
    forgottenTopicsData: structs('0+', 'ForgottenTopic', {
      topicId: uuid('0+'),
      partitions: array('0+', 'int32'),
    }),
  }),
);
export type ShareFetchRequest = MessageOf<typeof ShareFetchRequest>;

/** Answer to `ShareFetchRequest`. */
export const ShareFetchResponse = message(
  { name: 'ShareFetchResponse', kind: 'response', apiKey: 78, versions: '1-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    acquisitionLockTimeoutMs: int32('1+'),
    responses: structs('0+', 'ShareFetchableTopicResponse', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        acknowledgeErrorCode: int16('0+'),
        acknowledgeErrorMessage: string('0+', { nullable: '0+', default: null }),
        currentLeader: nested('0+', 'LeaderIdAndEpoch', {
          leaderId: int32('0+'),
          leaderEpoch: int32('0+'),
        }),
        records: records('0+', { nullable: '0' }),
        acquiredRecords: structs('0+', 'AcquiredRecords', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          deliveryCount: int16('0+'),
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
export type ShareFetchResponse = MessageOf<typeof ShareFetchResponse>;
