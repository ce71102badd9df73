import { message, uuid, type MessageOf } from '../schema.ts';

/** An access control entry was deleted. */
export const RemoveAccessControlEntryRecord = message(
  { name: 'RemoveAccessControlEntryRecord', kind: 'metadata', apiKey: 19, versions: '0', flexible: '0+' },
  () => ({
    id: uuid('0+'),
  }),
);
export type RemoveAccessControlEntryRecord = MessageOf<typeof RemoveAccessControlEntryRecord>;
