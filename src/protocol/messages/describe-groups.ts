import { array, bool, bytes, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeGroups: describes classic groups and their members. */
export const DescribeGroupsRequest = message(
  {
    name: 'DescribeGroupsRequest',
    kind: 'request',
    apiKey: 15,
    listeners: ['broker'],
    versions: '0-6',
    flexible: '5+',
  },
  () => ({
    groups: array('0+', 'string', { entityType: 'groupId' }),
    includeAuthorizedOperations: bool('3+'),
  }),
);
export type DescribeGroupsRequest = MessageOf<typeof DescribeGroupsRequest>;

/** Answer to `DescribeGroupsRequest`. */
export const DescribeGroupsResponse = message(
  { name: 'DescribeGroupsResponse', kind: 'response', apiKey: 15, versions: '0-6', flexible: '5+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    groups: structs('0+', 'DescribedGroup', {
      errorCode: int16('0+'),
      errorMessage: string('6+', { nullable: '6+', default: null }),
      groupId: string('0+', { entityType: 'groupId' }),
      groupState: string('0+'),
      protocolType: string('0+'),
      protocolData: string('0+'),
      members: structs('0+', 'DescribedGroupMember', {
        memberId: string('0+'),
        groupInstanceId: string('4+', { nullable: '4+', default: null, ignorable: true }),
        clientId: string('0+'),
        clientHost: string('0+'),
        memberMetadata: bytes('0+'),
        memberAssignment: bytes('0+'),
      }),
      authorizedOperations: int32('3+', { default: -2147483648 }),
    }),
  }),
);
export type DescribeGroupsResponse = MessageOf<typeof DescribeGroupsResponse>;
