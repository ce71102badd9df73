import { bool, float64, message, string, structs, type MessageOf } from '../schema.ts';

/** A client quota was set or removed. */
export const ClientQuotaRecord = message(
  { name: 'ClientQuotaRecord', kind: 'metadata', apiKey: 14, versions: '0', flexible: '0+' },
  () => ({
    entity: structs('0+', 'EntityData', {
      entityType: string('0+'),
      entityName: string('0+', { nullable: '0+' }),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  }),
);
export type ClientQuotaRecord = MessageOf<typeof ClientQuotaRecord>;
