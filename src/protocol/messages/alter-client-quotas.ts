import { bool, float64, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** AlterClientQuotas: sets or removes client quotas. */
export const AlterClientQuotasRequest = message(
  {
    name: 'AlterClientQuotasRequest',
    kind: 'request',
    apiKey: 49,
    listeners: ['broker', 'controller'],
    versions: '0-1',
    flexible: '1+',
  },
  () => ({
    entries: structs('0+', 'EntryData', {
      entity: structs('0+', 'EntityData', {
        entityType: string('0+'),
        entityName: string('0+', { nullable: '0+' }),
      }),
      ops: structs('0+', 'OpData', {
        key: string('0+'),
        value: float64('0+'),
        remove: bool('0+'),
      }),
    }),
    validateOnly: bool('0+'),
  }),
);
export type AlterClientQuotasRequest = MessageOf<typeof AlterClientQuotasRequest>;

/** Answer to `AlterClientQuotasRequest`. */
export const AlterClientQuotasResponse = message(
  { name: 'AlterClientQuotasResponse', kind: 'response', apiKey: 49, versions: '0-1', flexible: '1+' },
  () => ({
    throttleTimeMs: int32('0+'),
    entries: structs('0+', 'EntryData', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      entity: structs('0+', 'EntityData', {
        entityType: string('0+'),
        entityName: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type AlterClientQuotasResponse = MessageOf<typeof AlterClientQuotasResponse>;
