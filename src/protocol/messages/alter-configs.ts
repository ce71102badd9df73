import { bool, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** AlterConfigs: replaces all configs of resources (the older form of IncrementalAlterConfigs). */
export const AlterConfigsRequest = message(
  {
    name: 'AlterConfigsRequest',
    kind: 'request',
    apiKey: 33,
    listeners: ['broker', 'controller'],
    versions: '0-2',
    flexible: '2+',
  },
  () => ({
    resources: structs('0+', 'AlterConfigsResource', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: structs('0+', 'AlterableConfig', {
        name: string('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  }),
);
export type AlterConfigsRequest = MessageOf<typeof AlterConfigsRequest>;

/** Answer to `AlterConfigsRequest`. */
export const AlterConfigsResponse = message(
  { name: 'AlterConfigsResponse', kind: 'response', apiKey: 33, versions: '0-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    responses: structs('0+', 'AlterConfigsResourceResponse', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
    }),
  }),
);
export type AlterConfigsResponse = MessageOf<typeof AlterConfigsResponse>;
