import { int16, int32, message, string, type MessageOf } from '../schema.ts';

/** What stands before every request; `headers.ts` has the hand-written codec that serves. */
export const RequestHeader = message(
  { name: 'RequestHeader', kind: 'header', versions: '1-2', flexible: '2+' },
  () => ({
    requestApiKey: int16('0+'),
    requestApiVersion: int16('0+'),
    correlationId: int32('0+'),
    clientId: string('1+', { nullable: '1+', flexible: 'none' }),
  }),
);
export type RequestHeader = MessageOf<typeof RequestHeader>;

/** What stands before every response. */
export const ResponseHeader = message(
  { name: 'ResponseHeader', kind: 'header', versions: '0-1', flexible: '1+' },
  () => ({
    correlationId: int32('0+'),
  }),
);
export type ResponseHeader = MessageOf<typeof ResponseHeader>;
