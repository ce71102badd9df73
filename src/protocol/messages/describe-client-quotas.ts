import { bool, float64, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeClientQuotas: lists the client quotas that match a filter (KIP-546). */
export const DescribeClientQuotasRequest = message(
  {
    name: 'DescribeClientQuotasRequest',
    kind: 'request',
    apiKey: 48,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '1+',
  },
  () => ({
    components: structs('0+', 'ComponentData', {
      entityType: string('0+'),
      matchType: int8('0+'),
      match: string('0+', { nullable: '0+' }),
    }),
    strict: bool('0+'),
  }),
);
export type DescribeClientQuotasRequest = MessageOf<typeof DescribeClientQuotasRequest>;

/** Answer to `DescribeClientQuotasRequest`. */
export const DescribeClientQuotasResponse = message(
  { name: 'DescribeClientQuotasResponse', kind: 'response', apiKey: 48, versions: '0-1', flexible: '1+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    entries: structs(
      '0+',
      'EntryData',
      {
        entity: structs('0+', 'EntityData', {
          entityType: string('0+'),
          entityName: string('0+', { nullable: '0+' }),
        }),
        values: structs('0+', 'ValueData', {
          key: string('0+'),
          value: float64('0+'),
        }),
      },
      { nullable: '0+' },
    ),
  }),
);
export type DescribeClientQuotasResponse = MessageOf<typeof DescribeClientQuotasResponse>;
