import { array, int64, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 16: the topics that a subscribed regular expression resolved to. */
export const ConsumerGroupRegularExpressionKey = message(
  {
    name: 'ConsumerGroupRegularExpressionKey',
    kind: 'coordinator-key',
    apiKey: 16,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    regularExpression: string('0'),
  }),
);
export type ConsumerGroupRegularExpressionKey = MessageOf<typeof ConsumerGroupRegularExpressionKey>;

/** Value for a `ConsumerGroupRegularExpressionKey`. */
export const ConsumerGroupRegularExpressionValue = message(
  {
    name: 'ConsumerGroupRegularExpressionValue',
    kind: 'coordinator-value',
    apiKey: 16,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    topics: array('0+', 'string'),
    version: int64('0+'),
    timestamp: int64('0+'),
  }),
);
export type ConsumerGroupRegularExpressionValue = MessageOf<typeof ConsumerGroupRegularExpressionValue>;
