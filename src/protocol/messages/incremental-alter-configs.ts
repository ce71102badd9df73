import { bool, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** IncrementalAlterConfigs: sets, deletes, appends to or subtracts from single configs (KIP-339). */
export const IncrementalAlterConfigsRequest = message(
  {
    name: 'IncrementalAlterConfigsRequest',
    kind: 'request',
    apiKey: 44,
    listeners: ['broker', 'controller'],
    versions: '0-1',
    flexible: '1+',
  },
  () => ({
    resources: structs('0+', 'AlterConfigsResource', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: structs('0+', 'AlterableConfig', {
        name: string('0+', { mapKey: true }),
        configOperation: int8('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  }),
);
export type IncrementalAlterConfigsRequest = MessageOf<typeof IncrementalAlterConfigsRequest>;

/** Answer to `IncrementalAlterConfigsRequest`. */
export const IncrementalAlterConfigsResponse = message(
  { name: 'IncrementalAlterConfigsResponse', kind: 'response', apiKey: 44, versions: '0-1', flexible: '1+' },
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
export type IncrementalAlterConfigsResponse = MessageOf<typeof IncrementalAlterConfigsResponse>;
