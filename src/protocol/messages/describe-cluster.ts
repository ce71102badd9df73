import { bool, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeCluster: describes brokers or controllers of the cluster. */
export const DescribeClusterRequest = message(
  {
    name: 'DescribeClusterRequest',
    kind: 'request',
    apiKey: 60,
    listeners: ['broker', 'controller'],
    versions: '0-2',
    flexible: '0+',
  },
  () => ({
    includeClusterAuthorizedOperations: bool('0+'),
    endpointType: int8('1+', { default: 1 }),
    includeFencedBrokers: bool('2+'),
  }),
);
export type DescribeClusterRequest = MessageOf<typeof DescribeClusterRequest>;

/** Answer to `DescribeClusterRequest`. */
export const DescribeClusterResponse = message(
  { name: 'DescribeClusterResponse', kind: 'response', apiKey: 60, versions: '0-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1, entityType: 'brokerId' }),
    brokers: structs('0+', 'DescribeClusterBroker', {
      brokerId: int32('0+', { mapKey: true, entityType: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { nullable: '0+', default: null }),
      isFenced: bool('2+'),
    }),
    clusterAuthorizedOperations: int32('0+', { default: -2147483648 }),
  }),
);
export type DescribeClusterResponse = MessageOf<typeof DescribeClusterResponse>;
