import { int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeAcls: lists the access control entries that match a filter. */
export const DescribeAclsRequest = message(
  {
    name: 'DescribeAclsRequest',
    kind: 'request',
    apiKey: 29,
    listeners: ['broker', 'controller'],
    versions: '1-3',
    flexible: '2+',
  },
  () => ({
    resourceTypeFilter: int8('0+'),
    resourceNameFilter: string('0+', { nullable: '0+' }),
    patternTypeFilter: int8('1+', { default: 3 }),
    principalFilter: string('0+', { nullable: '0+' }),
    hostFilter: string('0+', { nullable: '0+' }),
    operation: int8('0+'),
    permissionType: int8('0+'),
  }),
);
export type DescribeAclsRequest = MessageOf<typeof DescribeAclsRequest>;

/** Answer to `DescribeAclsRequest`. */
export const DescribeAclsResponse = message(
  { name: 'DescribeAclsResponse', kind: 'response', apiKey: 29, versions: '1-3', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    resources: structs('0+', 'DescribeAclsResource', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      patternType: int8('1+', { default: 3 }),
      acls: structs('0+', 'AclDescription', {
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  }),
);
export type DescribeAclsResponse = MessageOf<typeof DescribeAclsResponse>;
