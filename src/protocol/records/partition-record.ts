import { array, int32, int8, message, uuid, type MessageOf } from '../schema.ts';

/** A partition was created; also its whole state in a snapshot. */
export const PartitionRecord = message(
  { name: 'PartitionRecord', kind: 'metadata', apiKey: 3, versions: '0-2', flexible: '0+' },
  () => ({
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: array('0+', 'int32', { entityType: 'brokerId' }),
    isr: array('0+', 'int32'),
    removingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
    addingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
    leader: int32('0+', { default: -1, entityType: 'brokerId' }),
    leaderRecoveryState: int8('0+', { tag: 0, default: 0 }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: array('1+', 'uuid'),
    eligibleLeaderReplicas: array('2+', 'int32', {
      nullable: '2+',
      tag: 1,
      default: null,
      entityType: 'brokerId',
    }),
    lastKnownElr: array('2+', 'int32', { nullable: '2+', tag: 2, default: null, entityType: 'brokerId' }),
  }),
);
export type PartitionRecord = MessageOf<typeof PartitionRecord>;
