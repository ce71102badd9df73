import { bool, message, string, type MessageOf } from '../schema.ts';

/** A principal as an Envelope carries it. A version prefix int16 stands before it. */
export const DefaultPrincipalData = message(
  { name: 'DefaultPrincipalData', kind: 'data', versions: '0', flexible: '0+' },
  () => ({
    type: string('0+'),
    name: string('0+'),
    tokenAuthenticated: bool('0+'),
  }),
);
export type DefaultPrincipalData = MessageOf<typeof DefaultPrincipalData>;
