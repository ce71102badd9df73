import { array, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** DeleteGroups: deletes empty groups. */
export const DeleteGroupsRequest = message(
  {
    name: 'DeleteGroupsRequest',
    kind: 'request',
    apiKey: 42,
    listeners: ['broker'],
    versions: '0-2',
    flexible: '2+',
  },
  () => ({
    groupsNames: array('0+', 'string', { entityType: 'groupId' }),
  }),
);
export type DeleteGroupsRequest = MessageOf<typeof DeleteGroupsRequest>;

/** Answer to `DeleteGroupsRequest`. */
export const DeleteGroupsResponse = message(
  { name: 'DeleteGroupsResponse', kind: 'response', apiKey: 42, versions: '0-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: structs('0+', 'DeletableGroupResult', {
      groupId: string('0+', { mapKey: true, entityType: 'groupId' }),
      errorCode: int16('0+'),
    }),
  }),
);
export type DeleteGroupsResponse = MessageOf<typeof DeleteGroupsResponse>;
