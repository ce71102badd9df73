import { bool, bytes, int16, int32, int8, message, uuid, type MessageOf } from '../schema.ts';

/** PushTelemetry: carries client metrics (KIP-714). */
export const PushTelemetryRequest = message(
  {
    name: 'PushTelemetryRequest',
    kind: 'request',
    apiKey: 72,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    terminating: bool('0+'),
    compressionType: int8('0+'),
    metrics: bytes('0+', { zeroCopy: true }),
  }),
);
export type PushTelemetryRequest = MessageOf<typeof PushTelemetryRequest>;

/** Answer to `PushTelemetryRequest`. */
export const PushTelemetryResponse = message(
  { name: 'PushTelemetryResponse', kind: 'response', apiKey: 72, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  }),
);
export type PushTelemetryResponse = MessageOf<typeof PushTelemetryResponse>;
