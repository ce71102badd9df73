import { array, bool, int16, int32, message, uuid, type MessageOf } from '../schema.ts';

/** GetTelemetrySubscriptions: asks which client metrics are wanted (KIP-714). */
export const GetTelemetrySubscriptionsRequest = message(
  {
    name: 'GetTelemetrySubscriptionsRequest',
    kind: 'request',
    apiKey: 71,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    clientInstanceId: uuid('0+'),
  }),
);
export type GetTelemetrySubscriptionsRequest = MessageOf<typeof GetTelemetrySubscriptionsRequest>;

/** Answer to `GetTelemetrySubscriptionsRequest`. */
export const GetTelemetrySubscriptionsResponse = message(
  { name: 'GetTelemetrySubscriptionsResponse', kind: 'response', apiKey: 71, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    acceptedCompressionTypes: array('0+', 'int8'),
    pushIntervalMs: int32('0+'),
    telemetryMaxBytes: int32('0+'),
    deltaTemporality: bool('0+'),
    requestedMetrics: array('0+', 'string'),
  }),
);
export type GetTelemetrySubscriptionsResponse = MessageOf<typeof GetTelemetrySubscriptionsResponse>;
