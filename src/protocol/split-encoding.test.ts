import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codecOf } from './codec.ts';
import { MetadataResponse } from './messages/metadata.ts';
import type { InputOf } from './schema.ts';
import { elementSpec, SplitEncoding } from './split-encoding.ts';

const response = new SplitEncoding(MetadataResponse, 'topics');
const topicSplit = new SplitEncoding(elementSpec(MetadataResponse, 'topics'), 'partitions');

const int32 = fc.integer({ min: -1, max: 1 << 30 });
const partition = fc.record({
  errorCode: fc.integer({ min: 0, max: 100 }),
  partitionIndex: int32,
  leaderId: int32,
  leaderEpoch: int32,
  replicaNodes: fc.array(int32, { maxLength: 3 }),
  isrNodes: fc.array(int32, { maxLength: 3 }),
  offlineReplicas: fc.array(int32, { maxLength: 3 }),
});
const topic = fc.record({
  errorCode: fc.constant(0),
  name: fc.string({ maxLength: 8 }),
  isInternal: fc.boolean(),
  // The lengths of both sides of a varint's second byte.
  partitions: fc.oneof(
    fc.array(partition, { maxLength: 5 }),
    fc.array(partition, { minLength: 126, maxLength: 129 }),
  ),
});
const body: fc.Arbitrary<InputOf<typeof MetadataResponse>> = fc.record({
  brokers: fc.array(fc.record({ nodeId: int32, host: fc.string({ maxLength: 9 }), port: int32 }), {
    maxLength: 3,
  }),
  clusterId: fc.option(fc.string({ maxLength: 5 })),
  controllerId: int32,
  topics: fc.array(topic, { maxLength: 4 }),
});

test('the pieces of a message are the bytes of the whole, in every version, however it is split', () => {
  const { versions } = MetadataResponse;
  const last = Number(versions.slice(versions.indexOf('-') + 1));
  fc.assert(
    fc.property(
      body,
      fc.integer({ min: 0, max: last }),
      fc.integer({ min: 1, max: 60 }),
      (value, version, size) => {
        const pieces = [response.head(version, value, value.topics.length)];
        for (const [i, one] of value.topics.entries()) {
          if (i % 2 === 0) {
            pieces.push(response.elements(version, [one]));
            continue;
          }
          pieces.push(topicSplit.head(version, one, one.partitions.length));
          for (let at = 0; at < one.partitions.length; at += size)
            pieces.push(topicSplit.elements(version, one.partitions.slice(at, at + size)));
          pieces.push(topicSplit.tail(version, one));
        }
        pieces.push(response.tail(version, value));
        const whole = codecOf(MetadataResponse, version).encode(value);
        assert.equal(Buffer.concat(pieces).toString('hex'), whole.toString('hex'));
      },
    ),
    { numRuns: 200 },
  );
});

test('a schema is split at one of its own fields', () => {
  assert.throws(() => new SplitEncoding(MetadataResponse, 'partitions'), /has no field/);
});
