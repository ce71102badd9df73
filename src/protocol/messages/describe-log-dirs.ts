import { array, bool, int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeLogDirs: lists a broker's log directories with what is in them. */
export const DescribeLogDirsRequest = message(
  {
    name: 'DescribeLogDirsRequest',
    kind: 'request',
    apiKey: 35,
    listeners: ['broker'],
    versions: '1-4',
    flexible: '2+',
  },
  () => ({
    topics: structs(
      '0+',
      'DescribableLogDirTopic',
      {
        topic: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
  }),
);
export type DescribeLogDirsRequest = MessageOf<typeof DescribeLogDirsRequest>;

/** Answer to `DescribeLogDirsRequest`. */
export const DescribeLogDirsResponse = message(
  { name: 'DescribeLogDirsResponse', kind: 'response', apiKey: 35, versions: '1-4', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('3+', { ignorable: true }),
    results: structs('0+', 'DescribeLogDirsResult', {
      errorCode: int16('0+'),
      logDir: string('0+'),
      topics: structs('0+', 'DescribeLogDirsTopic', {
        name: string('0+', { entityType: 'topicName' }),
        partitions: structs('0+', 'DescribeLogDirsPartition', {
          partitionIndex: int32('0+'),
          partitionSize: int64('0+'),
          offsetLag: int64('0+'),
          isFutureKey: bool('0+'),
        }),
      }),
      totalBytes: int64('4+', { default: -1, ignorable: true }),
      usableBytes: int64('4+', { default: -1, ignorable: true }),
    }),
  }),
);
export type DescribeLogDirsResponse = MessageOf<typeof DescribeLogDirsResponse>;
