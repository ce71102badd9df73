import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ErrorCode, errorName } from '../base/errors.ts';
import { BatchField, BatchView, computeBatchCrc, isCrcValid } from './batch.ts';
import { buildBatch, buildCompressedBatch, type BatchInput, type RecordInput } from './builder.ts';
import { BlockBudget, MAX_BLOCK_BYTES_HELD } from './block-budget.ts';
import { HeldCompute } from './held-compute.test.ts';
import { openRecords, type RecordView } from './reader.ts';
import { ProduceValidator, type ProduceRules } from './validate.ts';

const NOW = 1_700_000_000_000;
const compute = new HeldCompute();
const budget = new BlockBudget(MAX_BLOCK_BYTES_HELD);
const RULES: ProduceRules = {
  name: 'orders-3',
  maxMessageBytes: 1_048_588,
  segmentBytes: 1 << 30,
  compacted: false,
  logAppendTime: false,
  timestampBeforeMaxMs: 2 ** 63,
  timestampAfterMaxMs: 3_600_000,
  targetCodec: null,
  targetLevel: null,
};

function record(key: string | null, timestampMs = NOW): RecordInput {
  return { key: key === null ? null : Buffer.from(key), value: Buffer.from('value'), timestampMs };
}

function batch(input: Partial<BatchInput> = {}): Buffer {
  return buildBatch(
    { records: [record('a'), record('b', NOW + 5), record('c', NOW - 3)], ...input },
    compute,
  );
}

function compressed(codec: 1 | 2 | 3 | 4, input: Partial<BatchInput> = {}): Buffer {
  let out: Buffer | null = null;
  const records = [record('a'), record('b', NOW + 5), record('c', NOW - 3)];
  buildCompressedBatch({ records, ...input }, { codec, level: null }, compute, (_error, built) => {
    out = built;
  });
  assert.ok(out);
  return out;
}

/** Changes header bytes and makes the crc fit again. */
function edited(bytes: Buffer, edit: (bytes: Buffer) => void): Buffer {
  edit(bytes);
  bytes.writeUInt32BE(computeBatchCrc(compute, bytes, 0, bytes.length), BatchField.crc);
  return bytes;
}

function validate(
  bytes: Buffer,
  rules: Partial<ProduceRules> = {},
  produceVersion = 13,
  start = 0,
): ProduceValidator {
  const validator = new ProduceValidator({ compute, budget, defer: (callback) => callback() });
  let calls = 0;
  validator.validate(
    { buffer: bytes, start, end: bytes.length, produceVersion, nowMs: NOW },
    { ...RULES, ...rules },
    () => calls++,
  );
  assert.equal(calls, 1);
  return validator;
}

function readAll(bytes: Buffer): readonly RecordView[] {
  let records: readonly RecordView[] | null = null;
  openRecords(bytes, 0, compute, (error, found) => {
    assert.equal(error, null);
    records = found;
  });
  return records ?? [];
}

test('a right batch is accepted where it lies, and its bytes are not touched', () => {
  const prefix = Buffer.alloc(7, 1);
  const bytes = Buffer.concat([prefix, batch()]);
  const before = Buffer.from(bytes);
  const result = validate(bytes, {}, 13, 7);
  assert.equal(result.errorCode, ErrorCode.NONE);
  assert.equal(result.buffer, bytes);
  assert.deepEqual([result.start, result.end], [7, bytes.length]);
  assert.deepEqual(bytes, before);
});

const refusals: [string, ErrorCode, Buffer, Partial<ProduceRules>?, number?][] = [
  ['no batch', ErrorCode.INVALID_RECORD, Buffer.alloc(0)],
  ['two batches', ErrorCode.INVALID_RECORD, Buffer.concat([batch(), batch()])],
  ['garbage after the batch', ErrorCode.CORRUPT_MESSAGE, Buffer.concat([batch(), Buffer.alloc(20)])],
  ['magic 1', ErrorCode.INVALID_RECORD, edited(batch(), (b) => b.writeInt8(1, BatchField.magic))],
  ['magic 3', ErrorCode.CORRUPT_MESSAGE, edited(batch(), (b) => b.writeInt8(3, BatchField.magic))],
  ['a wrong crc', ErrorCode.CORRUPT_MESSAGE, Buffer.from(batch().fill(1, 80, 81))],
  [
    'an absurd length',
    ErrorCode.CORRUPT_MESSAGE,
    edited(batch(), (b) => b.writeInt32BE(-5, BatchField.batchLength)),
  ],
  [
    'a length below the header',
    ErrorCode.CORRUPT_MESSAGE,
    edited(batch(), (b) => b.writeInt32BE(48, BatchField.batchLength)),
  ],
  [
    'a length past the end',
    ErrorCode.INVALID_RECORD,
    edited(batch(), (b) => b.writeInt32BE(0x7fffffff, BatchField.batchLength)),
  ],
  ['zstd before version 7', ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, compressed(4), {}, 6],
  [
    'codec 5',
    ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    edited(batch(), (b) => b.writeInt16BE(5, BatchField.attributes)),
  ],
  ['a batch over max.message.bytes', ErrorCode.MESSAGE_TOO_LARGE, batch(), { maxMessageBytes: 90 }],
  ['a batch over the segment size', ErrorCode.RECORD_LIST_TOO_LARGE, batch(), { segmentBytes: 90 }],
  ['a base offset', ErrorCode.INVALID_RECORD, batch({ baseOffset: 1 })],
  [
    'a count of 0',
    ErrorCode.INVALID_RECORD,
    edited(batch(), (b) => b.writeInt32BE(0, BatchField.recordCount)),
  ],
  [
    'a count other than the offsets',
    ErrorCode.INVALID_RECORD,
    edited(batch(), (b) => b.writeInt32BE(2, BatchField.recordCount)),
  ],
  [
    'a count other than the records',
    ErrorCode.INVALID_RECORD,
    edited(batch(), (b) => {
      b.writeInt32BE(2, BatchField.recordCount);
      b.writeInt32BE(1, BatchField.lastOffsetDelta);
    }),
  ],
  [
    'an absurd count',
    ErrorCode.INVALID_RECORD,
    edited(batch(), (b) => {
      b.writeInt32BE(0x7fffffff, BatchField.recordCount);
      b.writeInt32BE(0x7ffffffe, BatchField.lastOffsetDelta);
    }),
  ],
  ['a control batch', ErrorCode.INVALID_RECORD, batch({ control: true })],
  ['a producer id without sequence', ErrorCode.INVALID_RECORD, batch({ producerId: 5, producerEpoch: 0 })],
  ['a producer id without epoch', ErrorCode.INVALID_RECORD, batch({ producerId: 5, baseSequence: 0 })],
  ['a malformed record', ErrorCode.INVALID_RECORD, edited(batch(), (b) => b.writeInt8(0x7f, 61))],
  [
    'a compressed block that is none',
    ErrorCode.CORRUPT_MESSAGE,
    edited(compressed(1), (b) => b.fill(7, 61, 70)),
  ],
  [
    'malformed records in a compressed block',
    ErrorCode.INVALID_RECORD,
    edited(compressed(1), (b) => {
      b.writeInt32BE(2, BatchField.recordCount);
      b.writeInt32BE(1, BatchField.lastOffsetDelta);
    }),
  ],
];

for (const [name, code, bytes, rules, version] of refusals) {
  test(`${name} is refused with ${errorName(code)}`, () => {
    const result = validate(bytes, rules, version);
    assert.equal(errorName(result.errorCode), errorName(code));
    assert.ok(result.errorMessage);
  });
}

test('a batch cut short anywhere is no batch, and the beginning of a second batch is dropped', () => {
  const bytes = batch();
  for (let length = 1; length < bytes.length; length++) {
    assert.equal(validate(Buffer.from(bytes.subarray(0, length))).errorCode, ErrorCode.INVALID_RECORD);
    const result = validate(Buffer.concat([bytes, bytes.subarray(0, length)]));
    assert.equal(result.errorCode, ErrorCode.NONE);
    assert.equal(result.end, bytes.length);
  }
});

test('records without key are named on a compacted topic', () => {
  const bytes = batch({ records: [record('a'), record(null), record('c'), record(null)] });
  const result = validate(bytes, { compacted: true });
  assert.equal(result.errorCode, ErrorCode.INVALID_RECORD);
  assert.deepEqual(
    result.recordErrors.map((e) => e.batchIndex),
    [1, 3],
  );
  assert.equal(validate(bytes).errorCode, ErrorCode.NONE);
  const packed = compressed(1, { records: [record(null), record('b')] });
  assert.deepEqual(
    validate(packed, { compacted: true }).recordErrors.map((e) => e.batchIndex),
    [0],
  );
});

test('records outside the allowed time are named, those without timestamp are not', () => {
  const bytes = batch({
    records: [
      record('a', -1),
      record('b', NOW - 5000),
      record('c'),
      record('d', NOW + 5000),
      record('e', NOW + 1000),
    ],
  });
  const result = validate(bytes, { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 1000 });
  assert.equal(result.errorCode, ErrorCode.INVALID_TIMESTAMP);
  assert.deepEqual(
    result.recordErrors.map((e) => e.batchIndex),
    [1, 3],
  );
  const right = batch({ records: [record('a', -1), record('b', NOW - 1000), record('c', NOW + 1000)] });
  assert.equal(validate(right, { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 1000 }).errorCode, 0);
});

test('on a LogAppendTime topic the time of the append goes into the header, and the crc fits', () => {
  for (const bytes of [batch({ records: [record('a', 1)] }), compressed(1)]) {
    const result = validate(bytes, { logAppendTime: true, timestampBeforeMaxMs: 0 });
    assert.equal(result.errorCode, ErrorCode.NONE);
    const view = new BatchView().at(result.buffer, result.start);
    assert.ok(view.isLogAppendTime);
    assert.equal(view.maxTimestamp, NOW);
    assert.ok(isCrcValid(compute, bytes, 0, bytes.length));
  }
});

test('a producer may not claim LogAppendTime on a LogAppendTime topic', () => {
  const result = validate(batch({ logAppendTimeMs: NOW }), { logAppendTime: true });
  assert.equal(result.errorCode, ErrorCode.INVALID_TIMESTAMP);
  assert.equal(result.recordErrors.length, 3);
});

test('on a CreateTime topic a claim of LogAppendTime is undone', () => {
  const bytes = batch({ logAppendTimeMs: NOW - 1 });
  assert.equal(validate(bytes).errorCode, ErrorCode.NONE);
  const view = new BatchView().at(bytes, 0);
  assert.equal(view.isLogAppendTime, false);
  assert.equal(view.maxTimestamp, NOW - 1);
  assert.ok(isCrcValid(compute, bytes, 0, bytes.length));
});

test('a wrong max timestamp in the header is put right', () => {
  const bytes = edited(batch(), (b) => b.writeBigInt64BE(77n, BatchField.maxTimestamp));
  assert.equal(validate(bytes).errorCode, ErrorCode.NONE);
  assert.equal(new BatchView().at(bytes, 0).maxTimestamp, NOW + 5);
  assert.ok(isCrcValid(compute, bytes, 0, bytes.length));
});

test('timestamps past 2^53 are compared exactly and survive', () => {
  const huge = 0x7fff_ffff_ffff_fff1n;
  const rules = { timestampAfterMaxMs: 2 ** 63 };
  const bytes = edited(batch({ records: [record('a', 0), record('b', 1)] }), (b) => {
    b.writeBigInt64BE(huge, BatchField.baseTimestamp);
  });
  assert.equal(validate(bytes).errorCode, ErrorCode.INVALID_TIMESTAMP);
  assert.equal(validate(bytes, rules).errorCode, ErrorCode.NONE);
  assert.equal(bytes.readBigInt64BE(BatchField.maxTimestamp), huge + 1n);
  assert.equal(bytes.readBigInt64BE(BatchField.baseTimestamp), huge);
  assert.ok(isCrcValid(compute, bytes, 0, bytes.length));
});

test('a compressed batch with other deltas than 0, 1, 2 is rebuilt with those, all else kept', () => {
  const wide = batch({ records: [record('a'), record('b', NOW + 5), record('c', NOW - 3)] });
  const view = new BatchView().at(wide, 0);
  assert.equal(view.codec, 0);
  // Delta of the second record: one byte varint after length, attributes and timestamp delta.
  const second = 61 + 1 + wide.readInt8(61) / 2;
  assert.equal(wide[second + 3], 2);
  wide[second + 3] = 14;
  compute.compress(1, wide.subarray(61), null, (_error, block) => {
    assert.ok(block);
    const bytes = edited(Buffer.concat([wide.subarray(0, 61), block]), (b) => {
      b.writeInt16BE(1, BatchField.attributes);
      b.writeInt32BE(b.length - 12, BatchField.batchLength);
    });
    assert.deepEqual(
      readAll(bytes).map((r) => r.offset),
      [0, 7, 2],
    );
    const result = validate(bytes);
    assert.equal(result.errorCode, ErrorCode.NONE);
    assert.notEqual(result.buffer, bytes);
    const out = result.buffer.subarray(result.start, result.end);
    assert.deepEqual(readAll(Buffer.from(out)), readAll(compressed(1)));
    assert.equal(new BatchView().at(result.buffer, result.start).codec, 1);
    assert.ok(isCrcValid(compute, result.buffer, result.start, out.length));
  });
});

test('a topic with a compression of its own stores that one', () => {
  for (const source of [batch({ producerId: 7, producerEpoch: 1, baseSequence: 3 }), compressed(1)]) {
    for (const targetCodec of [0, 1, 2, 3, 4] as const) {
      const bytes = Buffer.from(source);
      const result = validate(bytes, { targetCodec });
      assert.equal(result.errorCode, ErrorCode.NONE);
      const view = new BatchView().at(result.buffer, result.start);
      assert.equal(view.codec, targetCodec);
      assert.equal(view.sizeBytes, result.end - result.start);
      assert.ok(isCrcValid(compute, result.buffer, result.start, view.sizeBytes));
      assert.deepEqual(readAll(result.buffer.subarray(result.start, result.end)), readAll(source));
      assert.equal(view.baseSequence, new BatchView().at(source, 0).baseSequence);
    }
  }
});

const bytesOf = (maxLength: number) => fc.option(fc.uint8Array({ maxLength }).map((b) => Buffer.from(b)));
const anyRecord: fc.Arbitrary<RecordInput> = fc
  .tuple(
    bytesOf(40),
    bytesOf(200),
    fc.oneof(fc.integer({ min: -1, max: NOW }), fc.constantFrom(-1, 0, 2 ** 51, NOW)),
    fc.array(fc.tuple(fc.string({ maxLength: 10 }), bytesOf(20)), { maxLength: 3 }),
  )
  .map(([key, value, timestampMs, headers]) => ({
    key,
    value,
    timestampMs,
    headers: headers.map(([name, content]) => ({ key: name, value: content })),
  }));

test('whatever is built is valid and reads back equal', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(0, 1, 2, 3, 4),
      (records, codec) => {
        buildCompressedBatch(
          { records },
          { codec: codec as 0 | 1, level: null },
          compute,
          (_error, bytes) => {
            assert.ok(bytes);
            const result = validate(bytes, { timestampAfterMaxMs: 2 ** 63 });
            assert.equal(result.errorCode, ErrorCode.NONE, result.errorMessage ?? '');
            assert.deepEqual(
              readAll(bytes).map(({ key, value, timestampMs, headers }) => ({
                key,
                value,
                timestampMs,
                headers,
              })),
              records,
            );
            assert.equal(
              new BatchView().at(bytes, 0).maxTimestamp,
              Math.max(...records.map((r) => r.timestampMs)),
            );
          },
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a flipped byte anywhere is refused or leaves a batch that reads', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, mendCrc) => {
      const bytes = batch({ producerId: 4, producerEpoch: 0, baseSequence: 0 });
      const position = at % bytes.length;
      bytes[position] = (bytes[position] as number) ^ flip;
      if (mendCrc) bytes.writeUInt32BE(computeBatchCrc(compute, bytes, 0, bytes.length), BatchField.crc);
      const result = validate(bytes, { timestampAfterMaxMs: 2 ** 63 });
      if (result.errorCode === ErrorCode.NONE) {
        assert.ok(mendCrc || position < BatchField.magic);
        readAll(result.buffer.subarray(result.start, result.end));
      }
    }),
    { numRuns: 2000 },
  );
});
