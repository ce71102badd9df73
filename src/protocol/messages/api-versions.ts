import { bool, int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** ApiVersions: asks which APIs and versions the receiver serves; the first request of most clients. */
export const ApiVersionsRequest = message(
  {
    name: 'ApiVersionsRequest',
    kind: 'request',
    apiKey: 18,
    listeners: ['broker', 'controller'],
    versions: '0-4',
    flexible: '3+',
  },
  () => ({
    clientSoftwareName: string('3+', { ignorable: true }),
    clientSoftwareVersion: string('3+', { ignorable: true }),
  }),
);
export type ApiVersionsRequest = MessageOf<typeof ApiVersionsRequest>;

/** Answer to `ApiVersionsRequest`. */
export const ApiVersionsResponse = message(
  { name: 'ApiVersionsResponse', kind: 'response', apiKey: 18, versions: '0-4', flexible: '3+' },
  () => ({
    errorCode: int16('0+'),
    apiKeys: structs('0+', 'ApiVersion', {
      apiKey: int16('0+', { mapKey: true }),
      minVersion: int16('0+'),
      maxVersion: int16('0+'),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    supportedFeatures: structs(
      '3+',
      'SupportedFeatureKey',
      {
        name: string('3+', { mapKey: true }),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      },
      { tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64('3+', { tag: 1, default: -1, ignorable: true }),
    finalizedFeatures: structs(
      '3+',
      'FinalizedFeatureKey',
      {
        name: string('3+', { mapKey: true }),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      },
      { tag: 2, ignorable: true },
    ),
    zkMigrationReady: bool('3+', { tag: 3, default: false, ignorable: true }),
  }),
);
export type ApiVersionsResponse = MessageOf<typeof ApiVersionsResponse>;
