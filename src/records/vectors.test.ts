import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BatchView, isCrcValid } from './batch.ts';
import { buildBatch, buildCompressedBatch, type RecordInput } from './builder.ts';
import { buildControlBatch, decodeControlRecord, type ControlRecord } from './control-records.ts';
import { isLegacyCrcValid, legacyEntryAt } from './legacy.ts';
import { HeldCompute } from './held-compute.test.ts';
import { openRecords, type RecordView } from './reader.ts';

interface VectorRecord {
  offset: number;
  timestamp: number;
  keyHex: string | null;
  valueHex: string | null;
  headers?: { key: string; valueHex: string | null }[];
}
interface Vector {
  case: string;
  hex: string;
  baseOffset: number;
  partitionLeaderEpoch: number;
  compression?: string;
  timestampType?: string;
  logAppendTime?: number;
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
  transactional: boolean;
  control: boolean;
  crc: number;
  lastOffset: number;
  maxTimestamp: number;
  sizeInBytes: number;
  records?: VectorRecord[];
}

const compute = new HeldCompute();
const file = new URL('../../testdata/records/record-batches.jsonl', import.meta.url);
const vectors = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

function hex(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'hex');
}

function readAll(batch: Buffer): readonly RecordView[] {
  let records: readonly RecordView[] | null = null;
  openRecords(batch, 0, compute, (error, found) => {
    assert.equal(error, null);
    records = found;
  });
  assert.ok(records);
  return records;
}

function inputs(vector: Vector): RecordInput[] {
  return (vector.records ?? []).map((record) => ({
    key: hex(record.keyHex),
    value: hex(record.valueHex),
    headers: (record.headers ?? []).map((header) => ({ key: header.key, value: hex(header.valueHex) })),
    timestampMs: record.timestamp,
  }));
}

test('all 19 batches made by Kafka are here', () => assert.equal(vectors.length, 19));

for (const vector of vectors.filter((v) => v.records !== undefined)) {
  const bytes = Buffer.from(vector.hex, 'hex');

  test(`the header of ${vector.case} is read as Kafka wrote it`, () => {
    const view = new BatchView().at(bytes, 0);
    assert.equal(view.magic, 2);
    assert.equal(view.sizeBytes, vector.sizeInBytes);
    assert.equal(view.baseOffset, vector.baseOffset);
    assert.equal(view.lastOffset, vector.lastOffset);
    assert.equal(view.partitionLeaderEpoch, vector.partitionLeaderEpoch);
    assert.equal(view.crc, vector.crc);
    assert.equal(view.maxTimestamp, vector.maxTimestamp);
    assert.equal(view.producerId, vector.producerId);
    assert.equal(view.producerEpoch, vector.producerEpoch);
    assert.equal(view.baseSequence, vector.baseSequence);
    assert.equal(view.isTransactional, vector.transactional);
    assert.equal(view.isControl, vector.control);
    assert.equal(view.recordCount, vector.records?.length);
    assert.equal(codecs[view.codec], vector.compression ?? 'none');
    assert.equal(view.isLogAppendTime, vector.timestampType === 'LOG_APPEND_TIME');
    assert.ok(isCrcValid(compute, bytes, 0, view.sizeBytes));
  });

  test(`the records of ${vector.case} are read as Kafka wrote them`, () => {
    const records = readAll(bytes).map((record) => ({
      offset: record.offset,
      timestamp: record.timestampMs,
      keyHex: record.key?.toString('hex') ?? null,
      valueHex: record.value?.toString('hex') ?? null,
      headers: record.headers.map((h) => ({ key: h.key, valueHex: h.value?.toString('hex') ?? null })),
    }));
    const expected = vector.records?.map((record) => ({ headers: [], ...record }));
    assert.deepEqual(records, expected);
  });
}

for (const vector of vectors.filter((v) => v.compression === 'none')) {
  test(`${vector.case} is built to the same bytes`, () => {
    const records = inputs(vector);
    // What a LogAppendTime batch holds beside the append time is in the bytes only.
    const original = Buffer.from(vector.hex, 'hex');
    if (vector.timestampType === 'LOG_APPEND_TIME') {
      [1700000000000, 1700000000005, 1699999999990, 1700000000001].forEach((timestampMs, i) => {
        records[i] = { ...(records[i] as RecordInput), timestampMs };
      });
    }
    const built = buildBatch(
      {
        ...vector,
        records,
        ...(vector.timestampType === 'LOG_APPEND_TIME'
          ? { logAppendTimeMs: vector.logAppendTime ?? -1 }
          : {}),
      },
      compute,
    );
    assert.equal(built.toString('hex'), original.toString('hex'));
  });
}

for (const vector of vectors.filter((v) => ['gzip', 'snappy', 'lz4', 'zstd'].includes(v.compression ?? ''))) {
  test(`${vector.case} is built so that header and records are Kafka's`, () => {
    let built: Buffer | null = null;
    const codec = codecs.indexOf(vector.compression ?? '') as 1;
    buildCompressedBatch(
      { ...vector, records: inputs(vector) },
      { codec, level: null },
      compute,
      (_error, batch) => {
        built = batch;
      },
    );
    assert.ok(built);
    const original = Buffer.from(vector.hex, 'hex');
    assert.deepEqual(readAll(built), readAll(original));
    // Everything of the header but length and crc, which depend on the compressor.
    const header = (batch: Buffer) => [batch.subarray(0, 8), batch.subarray(12, 17), batch.subarray(21, 61)];
    assert.deepEqual(header(built), header(original));
  });
}

for (const vector of vectors.filter((v) => v.control)) {
  test(`${vector.case} is decoded and built to the same bytes`, () => {
    const original = Buffer.from(vector.hex, 'hex');
    const records = readAll(original).map((record) => decodeControlRecord(record.key, record.value));
    const built = buildControlBatch(
      {
        ...vector,
        records: records as Exclude<ControlRecord, { type: 'UNKNOWN' }>[],
        timestampMs: vector.records?.[0]?.timestamp ?? 0,
      },
      compute,
    );
    assert.equal(built.toString('hex'), original.toString('hex'));
  });
}

test('the values of control records are what Kafka put in', () => {
  const decoded = (name: string) => {
    const vector = vectors.find((v) => v.case === name);
    const record = readAll(Buffer.from(vector?.hex ?? '', 'hex'))[0];
    return decodeControlRecord(record?.key ?? null, record?.value ?? null);
  };
  assert.deepEqual(decoded('txn-commit-marker'), { type: 'COMMIT', coordinatorEpoch: 9 });
  assert.deepEqual(decoded('txn-abort-marker'), { type: 'ABORT', coordinatorEpoch: 9 });
  assert.deepEqual(decoded('leader-change'), {
    type: 'LEADER_CHANGE',
    leaderId: 1,
    voterIds: [1, 2, 3],
    grantingVoterIds: [1, 3],
  });
  assert.deepEqual(decoded('snapshot-header'), {
    type: 'SNAPSHOT_HEADER',
    lastContainedLogTimestampMs: 1699999999999,
  });
  assert.deepEqual(decoded('kraft-version'), { type: 'KRAFT_VERSION', kraftVersion: 1 });
  assert.deepEqual(decoded('voters'), {
    type: 'KRAFT_VOTERS',
    voters: [
      {
        voterId: 1,
        voterDirectoryId: 'AQIDBAUGBwgJCgsMDQ4PEA',
        endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
        minSupportedVersion: 0,
        maxSupportedVersion: 1,
      },
    ],
  });
  assert.deepEqual(decodeControlRecord(Buffer.from('0000002a', 'hex'), null), {
    type: 'UNKNOWN',
    typeId: 42,
  });
});

test('a control record cut short anywhere is a format error', () => {
  const vector = vectors.find((v) => v.case === 'voters');
  const record = readAll(Buffer.from(vector?.hex ?? '', 'hex'))[0];
  const value = record?.value ?? Buffer.alloc(0);
  for (let length = 0; length < value.length - 1; length++) {
    assert.throws(() => decodeControlRecord(record?.key ?? null, value.subarray(0, length)), {
      name: 'RecordFormatError',
    });
  }
});

test('the empty batch that compaction leaves has offsets and no records', () => {
  const vector = vectors.find((v) => v.case === 'empty-batch-after-compaction') as Vector;
  const bytes = Buffer.from(vector.hex, 'hex');
  const view = new BatchView().at(bytes, 0);
  assert.equal(view.sizeBytes, bytes.length);
  assert.equal(view.baseOffset, 20);
  assert.equal(view.endOffset, 26);
  assert.equal(view.baseSequence, 30);
  assert.equal(view.lastSequence, 35);
  assert.equal(view.producerId, 4000);
  assert.equal(view.recordCount, 0);
  assert.equal(view.baseTimestamp, -1);
  assert.equal(view.maxTimestamp, 1700000000000);
  assert.equal(view.isTransactional, true);
  assert.ok(isCrcValid(compute, bytes, 0, bytes.length));
  assert.deepEqual(readAll(bytes), []);
});

for (const [name, maxTimestamp] of [
  ['legacy-magic-0', -1],
  ['legacy-magic-1', 1700000000001],
] as const) {
  test(`${name} is walked entry by entry`, () => {
    const bytes = Buffer.from((vectors.find((v) => v.case === name) as Vector).hex, 'hex');
    const first = legacyEntryAt(bytes, 0);
    const second = legacyEntryAt(bytes, first.sizeBytes);
    assert.deepEqual([first.lastOffset, second.lastOffset], [0, 1]);
    assert.equal(first.sizeBytes + second.sizeBytes, bytes.length);
    assert.equal(second.maxTimestampMs, maxTimestamp);
    assert.ok(isLegacyCrcValid(bytes, 0));
    assert.ok(isLegacyCrcValid(bytes, first.sizeBytes));
    bytes[bytes.length - 1] = 0x33;
    assert.ok(!isLegacyCrcValid(bytes, first.sizeBytes));
  });
}
