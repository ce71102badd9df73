import { int16, message, string, type MessageOf } from '../schema.ts';

/** A feature's finalized level; 0 removes it. */
export const FeatureLevelRecord = message(
  { name: 'FeatureLevelRecord', kind: 'metadata', apiKey: 12, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+'),
    featureLevel: int16('0+'),
  }),
);
export type FeatureLevelRecord = MessageOf<typeof FeatureLevelRecord>;
