import { int8, message, string, type MessageOf } from '../schema.ts';

/** A SCRAM credential was deleted. */
export const RemoveUserScramCredentialRecord = message(
  { name: 'RemoveUserScramCredentialRecord', kind: 'metadata', apiKey: 22, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+'),
    mechanism: int8('0+'),
  }),
);
export type RemoveUserScramCredentialRecord = MessageOf<typeof RemoveUserScramCredentialRecord>;
