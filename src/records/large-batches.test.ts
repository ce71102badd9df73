import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeVarint } from '../base/varint.ts';
import { ErrorCode } from '../base/errors.ts';
import type { CompressionCodec } from '../io/compute.ts';
import {
  BATCH_HEADER_BYTES,
  BatchAttribute,
  BatchField,
  BatchView,
  computeBatchCrc,
  isCrcValid,
} from './batch.ts';
import { BlockBudget, MAX_BLOCK_BYTES_HELD } from './block-budget.ts';
import { buildBatch, replaceBlock } from './builder.ts';
import { HeldCompute } from './held-compute.test.ts';
import { openRecords, type RecordView } from './reader.ts';
import { MAX_PRODUCED_BLOCK_BYTES, type ProduceRules, ProduceValidator } from './validate.ts';

// Batches whose records are many times larger than the batch itself.

const NOW = 1_700_000_000_000;
const compute = new HeldCompute();
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

interface Made {
  readonly count: number;
  /** Offset delta of a record; its index when left out. */
  readonly delta?: (index: number) => number;
  readonly valueBytes?: number;
  /** Timestamp delta. */
  readonly timestampDelta?: (index: number) => number;
}

/** Uncompressed records. */
function block({ count, delta, valueBytes = 1, timestampDelta }: Made): Buffer {
  const out = Buffer.alloc(count * (valueBytes + 30));
  const body = Buffer.alloc(valueBytes + 30);
  let position = 0;
  for (let i = 0; i < count; i++) {
    let size = writeVarint(body, 1, timestampDelta?.(i) ?? 0);
    size = writeVarint(body, size, delta?.(i) ?? i);
    size = writeVarint(body, size, -1);
    size = writeVarint(body, size, valueBytes);
    size = writeVarint(body, size + valueBytes, 0);
    position = writeVarint(out, position, size);
    position += body.copy(out, position, 0, size);
  }
  return out.subarray(0, position);
}

async function batch(records: Buffer, count: number, codec: CompressionCodec): Promise<Buffer> {
  const plain = buildBatch({ records: [{ key: null, value: null, timestampMs: NOW }] }, compute);
  plain.writeInt32BE(count - 1, BatchField.lastOffsetDelta);
  plain.writeInt32BE(count, BatchField.recordCount);
  const packed = await new Promise<Buffer>((resolve, reject) =>
    compute.compress(codec, records, null, (error, output) =>
      output === null ? reject(error as Error) : resolve(output),
    ),
  );
  return replaceBlock(plain, 0, packed, codec, compute);
}

interface Outcome {
  readonly code: ErrorCode;
  readonly bytes: Buffer;
  readonly turns: number;
  readonly heldBytes: number;
  readonly errors: number;
}

function validate(bytes: Buffer, rules: Partial<ProduceRules> = {}, budget = newBudget()): Promise<Outcome> {
  let turns = 0;
  const defer = (callback: () => void): void => {
    turns++;
    setImmediate(callback);
  };
  const validator = new ProduceValidator({ compute, budget, defer });
  return new Promise((resolve) => {
    validator.validate(
      { buffer: bytes, start: 0, end: bytes.length, produceVersion: 13, nowMs: NOW },
      { ...RULES, ...rules },
      () => {
        const { errorCode, buffer, start, end, recordErrors } = validator;
        const { heldBytes } = budget;
        budget.release(validator.release());
        assert.equal(budget.heldBytes, 0, 'all of the budget comes back');
        resolve({
          code: errorCode,
          bytes: Buffer.from(buffer.subarray(start, end)),
          turns,
          heldBytes,
          errors: recordErrors.length,
        });
      },
    );
  });
}

function newBudget(): BlockBudget {
  return new BlockBudget(MAX_BLOCK_BYTES_HELD);
}

function offsetsOf(bytes: Buffer): Promise<number[]> {
  return new Promise((resolve, reject) =>
    openRecords(bytes, 0, compute, (error, records: RecordView[] | null) =>
      records === null ? reject(error as Error) : resolve(records.map(({ offset }) => offset)),
    ),
  );
}

const COUNT = 300_000;

for (const codec of [1, 2, 3, 4] as const) {
  test(`hundreds of thousands of records in a batch of codec ${codec} are checked in turns and kept as they are`, async () => {
    const bytes = await batch(block({ count: COUNT, valueBytes: 20 }), COUNT, codec);
    const before = Buffer.from(bytes);
    const { code, turns, heldBytes, bytes: after } = await validate(bytes, { maxMessageBytes: 1 << 24 });
    assert.equal(code, ErrorCode.NONE);
    assert.ok(turns >= 5, `${turns} turns`);
    assert.equal(heldBytes, 0, 'nothing is held for what is kept');
    assert.deepEqual(after, before);
  });
}

test('their offset deltas are put right in turns, and the batch is sound', async () => {
  const bytes = await batch(block({ count: COUNT, delta: (i) => i % 7 }), COUNT, 4);
  const { code, turns, heldBytes, bytes: after } = await validate(bytes);
  assert.equal(code, ErrorCode.NONE);
  assert.ok(turns >= 70, `${turns} turns`);
  assert.equal(heldBytes, after.length, 'the rebuilt batch alone is held');
  assert.ok(isCrcValid(compute, after, 0, after.length));
  assert.deepEqual(
    await offsetsOf(after),
    Array.from({ length: COUNT }, (_, i) => i),
  );
});

test('an offset delta that goes wrong in a later part is seen', async () => {
  const bytes = await batch(block({ count: COUNT, delta: (i) => (i === COUNT - 1 ? 5 : i) }), COUNT, 3);
  const { code, bytes: after } = await validate(bytes, { maxMessageBytes: 1 << 24 });
  assert.equal(code, ErrorCode.NONE);
  assert.equal((await offsetsOf(after)).at(-1), COUNT - 1);
});

test('the largest timestamp is found in whatever part it is', async () => {
  for (const at of [0, 150_000, COUNT - 1]) {
    const records = block({ count: COUNT, timestampDelta: (i) => (i === at ? 777 : -(i % 50)) });
    const bytes = await batch(records, COUNT, 4);
    const { code, bytes: after } = await validate(bytes);
    assert.equal(code, ErrorCode.NONE);
    assert.equal(new BatchView().at(after, 0).maxTimestamp, NOW + 777);
  }
});

test('a record that is malformed, too many and too few of them are noticed in large blocks', async () => {
  const records = block({ count: COUNT, valueBytes: 10 });
  const cases = [
    [records.subarray(0, records.length - 1), COUNT],
    [records, COUNT - 1],
    [records, COUNT + 1],
    [records, 0x7fffffff],
    [Buffer.concat([records, Buffer.from([1])]), COUNT],
    [Buffer.concat([records, Buffer.from([0x80, 0x80, 0x80])]), COUNT],
  ] as const;
  for (const [bytes, count] of cases)
    assert.equal((await validate(await batch(bytes, count, 4))).code, ErrorCode.INVALID_RECORD);
});

test('the list of wrong records ends at a thousand, and so does the search', async () => {
  const bytes = await batch(block({ count: COUNT }), COUNT, 4);
  const { code, errors, turns } = await validate(bytes, { compacted: true });
  assert.equal(code, ErrorCode.INVALID_RECORD);
  assert.equal(errors, 1000);
  assert.ok(turns < 10, `${turns} turns`);
});

test('what expands beyond the bound is refused with every codec, and the budget comes back', async () => {
  const large = Buffer.alloc(MAX_PRODUCED_BLOCK_BYTES + 1);
  for (const codec of [1, 3, 4] as const) {
    const bytes = await batch(large, 1, codec);
    assert.equal((await validate(bytes)).code, ErrorCode.MESSAGE_TOO_LARGE);
  }
});

test('what would be too large in the codec of the topic is refused before it is built', async () => {
  const bytes = await batch(block({ count: COUNT }), COUNT, 4);
  assert.ok(bytes.length < 1_048_588);
  assert.equal((await validate(bytes, { targetCodec: 0 })).code, ErrorCode.MESSAGE_TOO_LARGE);
  const { code, bytes: after } = await validate(bytes, { targetCodec: 0, maxMessageBytes: 1 << 24 });
  assert.equal(code, ErrorCode.NONE);
  assert.equal(after.length, BATCH_HEADER_BYTES + block({ count: COUNT }).length);
  assert.equal(after.readInt16BE(BatchField.attributes) & BatchAttribute.codecMask, 0);
});

test('uncompressed records that the topic compresses get the right offset deltas', async () => {
  const records = block({ count: 3, delta: () => 9 });
  const bytes = await batch(records, 3, 0);
  const { code, bytes: after, heldBytes } = await validate(bytes, { targetCodec: 1 });
  assert.equal(code, ErrorCode.NONE);
  assert.ok(heldBytes > 0);
  assert.deepEqual(await offsetsOf(after), [0, 1, 2]);
});

test('many validators never hold more than the budget together, and all end', async () => {
  const bytes = await batch(block({ count: COUNT, delta: () => 1 }), COUNT, 4);
  const budget = new BlockBudget(MAX_PRODUCED_BLOCK_BYTES);
  let mostBytes = 0;
  const watch = setInterval(() => {
    mostBytes = Math.max(mostBytes, budget.heldBytes);
  }, 0);
  const runs = Array.from({ length: 12 }, async () => {
    const validator = new ProduceValidator({ compute, budget, defer: setImmediate });
    const copy = Buffer.from(bytes);
    const request = { buffer: copy, start: 0, end: copy.length, produceVersion: 13, nowMs: NOW };
    await new Promise<void>((resolve) => validator.validate(request, RULES, resolve));
    assert.equal(validator.errorCode, ErrorCode.NONE);
    budget.release(validator.release());
  });
  await Promise.all(runs);
  clearInterval(watch);
  assert.ok(mostBytes <= MAX_PRODUCED_BLOCK_BYTES);
  assert.equal(budget.heldBytes, 0);
});

test('a checksum that does not fit is found before anything is decompressed', async () => {
  const bytes = await batch(block({ count: 10 }), 10, 4);
  const before = computeBatchCrc(compute, bytes, 0, bytes.length);
  bytes.writeUInt32BE((before ^ 1) >>> 0, BatchField.crc);
  assert.equal((await validate(bytes)).code, ErrorCode.CORRUPT_MESSAGE);
});
