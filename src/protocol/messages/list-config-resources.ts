import { array, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** ListConfigResources: lists the resources that have configs. */
export const ListConfigResourcesRequest = message(
  {
    name: 'ListConfigResourcesRequest',
    kind: 'request',
    apiKey: 74,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    resourceTypes: array('1+', 'int8'),
  }),
);
export type ListConfigResourcesRequest = MessageOf<typeof ListConfigResourcesRequest>;

/** Answer to `ListConfigResourcesRequest`. */
export const ListConfigResourcesResponse = message(
  { name: 'ListConfigResourcesResponse', kind: 'response', apiKey: 74, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: structs('0+', 'ConfigResource', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  }),
);
export type ListConfigResourcesResponse = MessageOf<typeof ListConfigResourcesResponse>;
