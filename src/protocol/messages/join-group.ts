import { bool, bytes, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** JoinGroup: joins a classic group and takes part in its rebalance. */
export const JoinGroupRequest = message(
  {
    name: 'JoinGroupRequest',
    kind: 'request',
    apiKey: 11,
    listeners: ['broker'],
    versions: '0-9',
    flexible: '6+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    sessionTimeoutMs: int32('0+'),
    rebalanceTimeoutMs: int32('1+', { default: -1, ignorable: true }),
    memberId: string('0+'),
    groupInstanceId: string('5+', { nullable: '5+', default: null }),
    protocolType: string('0+'),
    protocols: structs('0+', 'JoinGroupRequestProtocol', {
      name: string('0+', { mapKey: true }),
      metadata: bytes('0+'),
    }),
    reason: string('8+', { nullable: '8+', default: null, ignorable: true }),
  }),
);
export type JoinGroupRequest = MessageOf<typeof JoinGroupRequest>;

/** Answer to `JoinGroupRequest`. */
export const JoinGroupResponse = message(
  { name: 'JoinGroupResponse', kind: 'response', apiKey: 11, versions: '0-9', flexible: '6+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: string('7+', { nullable: '7+', default: null, ignorable: true }),
    protocolName: string('0+', { nullable: '7+' }),
    leader: string('0+'),
    skipAssignment: bool('9+', { default: false }),
    memberId: string('0+'),
    members: structs('0+', 'JoinGroupResponseMember', {
      memberId: string('0+'),
      groupInstanceId: string('5+', { nullable: '5+', default: null, ignorable: true }),
      metadata: bytes('0+'),
    }),
  }),
);
export type JoinGroupResponse = MessageOf<typeof JoinGroupResponse>;
