import {
  int16,
  int32,
  int64,
  message,
  nested,
  records,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** Produce: appends record batches to partitions that the receiver leads. */
export const ProduceRequest = message(
  {
    name: 'ProduceRequest',
    kind: 'request',
    apiKey: 0,
    listeners: ['broker'],
    versions: '3-13',
    flexible: '9+',
  },
  () => ({
    transactionalId: string('3+', { nullable: '3+', default: null, entityType: 'transactionalId' }),
    acks: int16('0+'),
    timeoutMs: int32('0+'),
    topicData: structs('0+', 'TopicProduceData', {
      name: string('0-12', { ignorable: true, mapKey: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true, mapKey: true }),
      partitionData: structs('0+', 'PartitionProduceData', {
        index: int32('0+'),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type ProduceRequest = MessageOf<typeof ProduceRequest>;

/** Answer to `ProduceRequest`. */
export const ProduceResponse = message(
  { name: 'ProduceResponse', kind: 'response', apiKey: 0, versions: '3-13', flexible: '9+' },
  () => ({
    responses: structs('0+', 'TopicProduceResponse', {
      name: string('0-12', { ignorable: true, mapKey: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true, mapKey: true }),
      partitionResponses: structs('0+', 'PartitionProduceResponse', {
        index: int32('0+'),
        errorCode: int16('0+'),
        baseOffset: int64('0+'),
        logAppendTimeMs: int64('2+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        recordErrors: structs(
          '8+',
          'BatchIndexAndErrorMessage',
          {
            batchIndex: int32('8+'),
            batchIndexErrorMessage: string('8+', { nullable: '8+', default: null }),
          },
          { ignorable: true },
        ),
        errorMessage: string('8+', { nullable: '8+', default: null, ignorable: true }),
        currentLeader: nested(
          '10+',
          'LeaderIdAndEpoch',
          {
            leaderId: int32('10+', { default: -1, entityType: 'brokerId' }),
            leaderEpoch: int32('10+', { default: -1 }),
          },
          { tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    nodeEndpoints: structs(
      '10+',
      'NodeEndpoint',
      {
        nodeId: int32('10+', { mapKey: true, entityType: 'brokerId' }),
        host: string('10+'),
        port: int32('10+'),
        rack: string('10+', { nullable: '10+', default: null }),
      },
      { tag: 0 },
    ),
  }),
);
export type ProduceResponse = MessageOf<typeof ProduceResponse>;
