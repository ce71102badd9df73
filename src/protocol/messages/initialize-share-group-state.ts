import { int16, int32, int64, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** InitializeShareGroupState: creates the persisted state of a share group's partitions (KIP-932). */
export const InitializeShareGroupStateRequest = message(
  {
    name: 'InitializeShareGroupStateRequest',
    kind: 'request',
    apiKey: 83,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+'),
    topics: structs('0+', 'InitializeStateData', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionData', {
        partition: int32('0+'),
        stateEpoch: int32('0+'),
        startOffset: int64('0+'),
      }),
    }),
  }),
);
export type InitializeShareGroupStateRequest = MessageOf<typeof InitializeShareGroupStateRequest>;

/** Answer to `InitializeShareGroupStateRequest`. */
export const InitializeShareGroupStateResponse = message(
  { name: 'InitializeShareGroupStateResponse', kind: 'response', apiKey: 83, versions: '0', flexible: '0+' },
  () => ({
    results: structs('0+', 'InitializeStateResult', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionResult', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  }),
);
export type InitializeShareGroupStateResponse = MessageOf<typeof InitializeShareGroupStateResponse>;
