import { array, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** ListGroups: lists the groups that a broker coordinates. */
export const ListGroupsRequest = message(
  {
    name: 'ListGroupsRequest',
    kind: 'request',
    apiKey: 16,
    listeners: ['broker'],
    versions: '0-5',
    flexible: '3+',
  },
  () => ({
    statesFilter: array('4+', 'string'),
    typesFilter: array('5+', 'string'),
  }),
);
export type ListGroupsRequest = MessageOf<typeof ListGroupsRequest>;

/** Answer to `ListGroupsRequest`. */
export const ListGroupsResponse = message(
  { name: 'ListGroupsResponse', kind: 'response', apiKey: 16, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: structs('0+', 'ListedGroup', {
      groupId: string('0+', { entityType: 'groupId' }),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  }),
);
export type ListGroupsResponse = MessageOf<typeof ListGroupsResponse>;
