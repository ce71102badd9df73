import { int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** CreateAcls: adds access control entries. */
export const CreateAclsRequest = message(
  {
    name: 'CreateAclsRequest',
    kind: 'request',
    apiKey: 30,
    listeners: ['broker', 'controller'],
    versions: '1-3',
    flexible: '2+',
  },
  () => ({
    creations: structs('0+', 'AclCreation', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      resourcePatternType: int8('1+', { default: 3 }),
      principal: string('0+'),
      host: string('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  }),
);
export type CreateAclsRequest = MessageOf<typeof CreateAclsRequest>;

/** Answer to `CreateAclsRequest`. */
export const CreateAclsResponse = message(
  { name: 'CreateAclsResponse', kind: 'response', apiKey: 30, versions: '1-3', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: structs('0+', 'AclCreationResult', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  }),
);
export type CreateAclsResponse = MessageOf<typeof CreateAclsResponse>;
