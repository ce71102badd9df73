import { message, type MessageOf } from '../schema.ts';

/** Nothing; written at intervals so that the metadata log advances. */
export const NoOpRecord = message(
  { name: 'NoOpRecord', kind: 'metadata', apiKey: 20, versions: '0', flexible: '0+' },
  () => ({}),
);
export type NoOpRecord = MessageOf<typeof NoOpRecord>;
