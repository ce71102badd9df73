import { bool, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** UpdateFeatures: changes finalized feature levels (KIP-584). */
export const UpdateFeaturesRequest = message(
  {
    name: 'UpdateFeaturesRequest',
    kind: 'request',
    apiKey: 57,
    listeners: ['broker', 'controller'],
    versions: '0-2',
    flexible: '0+',
  },
  () => ({
    timeoutMs: int32('0+', { default: 60000 }),
    featureUpdates: structs('0+', 'FeatureUpdateKey', {
      feature: string('0+', { mapKey: true }),
      maxVersionLevel: int16('0+'),
      allowDowngrade: bool('0'),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+', { default: false }),
  }),
);
export type UpdateFeaturesRequest = MessageOf<typeof UpdateFeaturesRequest>;

/** Answer to `UpdateFeaturesRequest`. */
export const UpdateFeaturesResponse = message(
  { name: 'UpdateFeaturesResponse', kind: 'response', apiKey: 57, versions: '0-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: structs(
      '0-1',
      'UpdatableFeatureResult',
      {
        feature: string('0+', { mapKey: true }),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      },
      { ignorable: true },
    ),
  }),
);
export type UpdateFeaturesResponse = MessageOf<typeof UpdateFeaturesResponse>;
