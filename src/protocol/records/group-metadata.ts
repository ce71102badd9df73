import { array, bytes, commonStruct, int32, int64, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 2: a classic group with its members. */
export const GroupMetadataKey = message(
  { name: 'GroupMetadataKey', kind: 'coordinator-key', apiKey: 2, versions: '0', flexible: 'none' },
  () => ({
    group: string('0'),
  }),
);
export type GroupMetadataKey = MessageOf<typeof GroupMetadataKey>;

const MemberMetadata = commonStruct('MemberMetadata', '0+', {
  memberId: string('0+'),
  groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
});

/** Value for a `GroupMetadataKey`. */
export const GroupMetadataValue = message(
  { name: 'GroupMetadataValue', kind: 'coordinator-value', apiKey: 2, versions: '0-4', flexible: '4+' },
  () => ({
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', MemberMetadata),
  }),
);
export type GroupMetadataValue = MessageOf<typeof GroupMetadataValue>;
