import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  METADATA_RECORDS,
  metadataRecordSchema,
} from './metadata-record.ts';
import { ProtocolError } from './protocol-error.ts';
import { PartitionRecord } from './records/partition-record.ts';
import { TopicRecord } from './records/topic-record.ts';

/** As Kafka's MetadataRecordSerde wrote it. */
const GOLDEN = '01020004666f6f0102030405060708090a0b0c0d0e0f1000';

test('a record is framed as Kafka frames it, and read back', () => {
  const value = { name: 'foo', topicId: 'AQIDBAUGBwgJCgsMDQ4PEA' };
  assert.equal(encodeMetadataRecord(TopicRecord, 0, value).toString('hex'), GOLDEN);
  const padded = Buffer.from(`ffff${GOLDEN}ff`, 'hex');
  const decoded = decodeMetadataRecord(padded, 2, padded.length - 1);
  assert.deepEqual(decoded, { schema: TopicRecord, version: 0, value });
});

test('every type of metadata record has its own number and is found by it', () => {
  const schemas = Object.entries(METADATA_RECORDS);
  assert.equal(schemas.length, 26);
  for (const [name, schema] of schemas) {
    assert.equal(schema.name, name);
    assert.equal(metadataRecordSchema(schema.apiKey as number), schema);
  }
  assert.equal(metadataRecordSchema(6), null);
});

test('a record keeps the version it was written at', () => {
  const value = {
    topicId: 'AQIDBAUGBwgJCgsMDQ4PEA',
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
  };
  for (const version of [0, 1, 2]) {
    const decoded = decodeMetadataRecord(encodeMetadataRecord(PartitionRecord, version, value));
    assert.equal(decoded.version, version);
    assert.equal(decoded.schema, PartitionRecord);
  }
});

test('another frame version, an unknown type or version, a cut and bytes that follow are errors', () => {
  const bad = [
    `02${GOLDEN.slice(2)}`,
    `0106${GOLDEN.slice(4)}`,
    `010201${GOLDEN.slice(6)}`,
    `${GOLDEN}00`,
    '01ffffffff0f00',
  ];
  for (let end = 0; end < GOLDEN.length; end += 2) bad.push(GOLDEN.slice(0, end));
  for (const hex of bad) {
    assert.throws(() => decodeMetadataRecord(Buffer.from(hex, 'hex')), ProtocolError, hex);
  }
});
