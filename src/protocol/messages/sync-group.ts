import { bytes, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** SyncGroup: brings the leader's assignment into a classic group and takes the own part out of it. */
export const SyncGroupRequest = message(
  {
    name: 'SyncGroupRequest',
    kind: 'request',
    apiKey: 14,
    listeners: ['broker'],
    versions: '0-5',
    flexible: '4+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignments: structs('0+', 'SyncGroupRequestAssignment', {
      memberId: string('0+'),
      assignment: bytes('0+'),
    }),
  }),
);
export type SyncGroupRequest = MessageOf<typeof SyncGroupRequest>;

/** Answer to `SyncGroupRequest`. */
export const SyncGroupResponse = message(
  { name: 'SyncGroupResponse', kind: 'response', apiKey: 14, versions: '0-5', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignment: bytes('0+'),
  }),
);
export type SyncGroupResponse = MessageOf<typeof SyncGroupResponse>;
