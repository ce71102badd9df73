import { int8, message, string, type MessageOf } from '../schema.ts';

/** A config of a resource was set (value) or removed (null). */
export const ConfigRecord = message(
  { name: 'ConfigRecord', kind: 'metadata', apiKey: 4, versions: '0', flexible: '0+' },
  () => ({
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: string('0+', { nullable: '0+' }),
  }),
);
export type ConfigRecord = MessageOf<typeof ConfigRecord>;
