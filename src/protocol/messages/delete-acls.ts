import { int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** DeleteAcls: deletes the access control entries that match filters. */
export const DeleteAclsRequest = message(
  {
    name: 'DeleteAclsRequest',
    kind: 'request',
    apiKey: 31,
    listeners: ['broker', 'controller'],
    versions: '1-3',
    flexible: '2+',
  },
  () => ({
    filters: structs('0+', 'DeleteAclsFilter', {
      resourceTypeFilter: int8('0+'),
      resourceNameFilter: string('0+', { nullable: '0+' }),
      patternTypeFilter: int8('1+', { default: 3 }),
      principalFilter: string('0+', { nullable: '0+' }),
      hostFilter: string('0+', { nullable: '0+' }),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  }),
);
export type DeleteAclsRequest = MessageOf<typeof DeleteAclsRequest>;

/** Answer to `DeleteAclsRequest`. */
export const DeleteAclsResponse = message(
  { name: 'DeleteAclsResponse', kind: 'response', apiKey: 31, versions: '1-3', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    filterResults: structs('0+', 'DeleteAclsFilterResult', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      matchingAcls: structs('0+', 'DeleteAclsMatchingAcl', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        patternType: int8('1+', { default: 3 }),
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  }),
);
export type DeleteAclsResponse = MessageOf<typeof DeleteAclsResponse>;
