import { int16, int32, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** DeleteShareGroupState: deletes the persisted state of a share group's partitions (KIP-932). */
export const DeleteShareGroupStateRequest = message(
  {
    name: 'DeleteShareGroupStateRequest',
    kind: 'request',
    apiKey: 86,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+'),
    topics: structs('0+', 'DeleteStateData', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionData', { partition: int32('0+') }),
    }),
  }),
);
export type DeleteShareGroupStateRequest = MessageOf<typeof DeleteShareGroupStateRequest>;

/** Answer to `DeleteShareGroupStateRequest`. */
export const DeleteShareGroupStateResponse = message(
  { name: 'DeleteShareGroupStateResponse', kind: 'response', apiKey: 86, versions: '0', flexible: '0+' },
  () => ({
    results: structs('0+', 'DeleteStateResult', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionResult', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  }),
);
export type DeleteShareGroupStateResponse = MessageOf<typeof DeleteShareGroupStateResponse>;
