import { int16, int32, message, string, type MessageOf } from '../schema.ts';

/** Heartbeat: keeps a member of a classic group alive. */
export const HeartbeatRequest = message(
  {
    name: 'HeartbeatRequest',
    kind: 'request',
    apiKey: 12,
    listeners: ['broker'],
    versions: '0-4',
    flexible: '4+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
  }),
);
export type HeartbeatRequest = MessageOf<typeof HeartbeatRequest>;

/** Answer to `HeartbeatRequest`. */
export const HeartbeatResponse = message(
  { name: 'HeartbeatResponse', kind: 'response', apiKey: 12, versions: '0-4', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  }),
);
export type HeartbeatResponse = MessageOf<typeof HeartbeatResponse>;
