import { array, bool, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeConfigs: lists configs of topics, brokers, groups and client metrics with where each value comes from. */
export const DescribeConfigsRequest = message(
  {
    name: 'DescribeConfigsRequest',
    kind: 'request',
    apiKey: 32,
    listeners: ['broker', 'controller'],
    versions: '1-4',
    flexible: '4+',
  },
  () => ({
    resources: structs('0+', 'DescribeConfigsResource', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configurationKeys: array('0+', 'string', { nullable: '0+' }),
    }),
    includeSynonyms: bool('1+', { default: false }),
    includeDocumentation: bool('3+', { default: false }),
  }),
);
export type DescribeConfigsRequest = MessageOf<typeof DescribeConfigsRequest>;

/** Answer to `DescribeConfigsRequest`. */
export const DescribeConfigsResponse = message(
  { name: 'DescribeConfigsResponse', kind: 'response', apiKey: 32, versions: '1-4', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: structs('0+', 'DescribeConfigsResult', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: structs('0+', 'DescribeConfigsResourceResult', {
        name: string('0+'),
        value: string('0+', { nullable: '0+' }),
        readOnly: bool('0+'),
        configSource: int8('1+', { default: -1, ignorable: true }),
        isSensitive: bool('0+'),
        synonyms: structs(
          '1+',
          'DescribeConfigsSynonym',
          {
            name: string('1+'),
            value: string('1+', { nullable: '0+' }),
            source: int8('1+'),
          },
          { ignorable: true },
        ),
        configType: int8('3+', { default: 0, ignorable: true }),
        documentation: string('3+', { nullable: '0+', ignorable: true }),
      }),
    }),
  }),
);
export type DescribeConfigsResponse = MessageOf<typeof DescribeConfigsResponse>;
