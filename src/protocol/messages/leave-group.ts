import { int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** LeaveGroup: takes members out of a classic group. */
export const LeaveGroupRequest = message(
  {
    name: 'LeaveGroupRequest',
    kind: 'request',
    apiKey: 13,
    listeners: ['broker'],
    versions: '0-5',
    flexible: '4+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    memberId: string('0-2'),
    members: structs('3+', 'MemberIdentity', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+', default: null }),
      reason: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  }),
);
export type LeaveGroupRequest = MessageOf<typeof LeaveGroupRequest>;

/** Answer to `LeaveGroupRequest`. */
export const LeaveGroupResponse = message(
  { name: 'LeaveGroupResponse', kind: 'response', apiKey: 13, versions: '0-5', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    members: structs('3+', 'MemberResponse', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+' }),
      errorCode: int16('3+'),
    }),
  }),
);
export type LeaveGroupResponse = MessageOf<typeof LeaveGroupResponse>;
