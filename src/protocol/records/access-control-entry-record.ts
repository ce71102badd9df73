import { int8, message, string, uuid, type MessageOf } from '../schema.ts';

/** An access control entry was added. */
export const AccessControlEntryRecord = message(
  { name: 'AccessControlEntryRecord', kind: 'metadata', apiKey: 18, versions: '0', flexible: '0+' },
  () => ({
    id: uuid('0+'),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    patternType: int8('0+'),
    principal: string('0+'),
    host: string('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  }),
);
export type AccessControlEntryRecord = MessageOf<typeof AccessControlEntryRecord>;
