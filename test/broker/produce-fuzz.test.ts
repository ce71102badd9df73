/**
 * Produced batches of every codec, damaged at random, against a whole broker: it lives, what it refuses leaves nothing, and what it takes reads back whole. The seed is fixed; `ODRADEK_SEED`
 * tries another.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { Random } from '../../src/base/random.ts';
import { ErrorCode } from '../../src/base/errors.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';
import {
  BATCH_HEADER_BYTES,
  BatchField,
  BatchView,
  computeBatchCrc,
  isCrcValid,
} from '../../src/records/batch.ts';
import { MAX_BLOCK_BYTES_HELD } from '../../src/records/block-budget.ts';
import { buildCompressedBatch } from '../../src/records/builder.ts';
import { openRecords, type RecordView } from '../../src/records/reader.ts';
import { Bench, compute } from './records.ts';
import { testInWorlds } from './worlds.ts';

const SEED = Number(process.env['ODRADEK_SEED'] ?? 20_261_125);
const BATCHES = 6_000;
/** Sent before their answers are waited for. */
const IN_FLIGHT = 40;
const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kept: {},
  plain: { 'compression.type': 'uncompressed' },
  lz4: { 'compression.type': 'lz4', 'compression.lz4.level': '12' },
  zstd: { 'compression.type': 'zstd', 'message.timestamp.type': 'LogAppendTime' },
};

/** Codes that a damaged batch may get. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.INVALID_RECORD,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.INVALID_TIMESTAMP,
  ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
]);

testInWorlds(
  `${BATCHES} batches damaged by seed ${SEED} are refused or read back whole, and the broker lives`,
  async (world) => {
    const bench = await Bench.open(world);
    for (const [name, configs] of Object.entries(TOPICS)) await bench.createTopic(name, 1, configs);
    const random = new Random(SEED);
    const taken = new Map<string, Map<number, number>>(Object.keys(TOPICS).map((name) => [name, new Map()]));
    let refused = 0;
    for (let sent = 0; sent < BATCHES; sent += IN_FLIGHT) {
      const calls = Array.from({ length: IN_FLIGHT }, async () => {
        const topic = random.pick(Object.keys(TOPICS));
        const records = damaged(random, validBatch(random, world.wallMs()));
        const { responses } = await bench.produceLater(topic, records);
        const result = responses[0]?.partitionResponses[0];
        assert.ok(result !== undefined);
        if (result.errorCode === ErrorCode.NONE) {
          // A duplicate of a producer's batch is told its first place.
          taken.get(topic)?.set(result.baseOffset, records.length);
          return;
        }
        refused++;
        assert.ok(REFUSALS.has(result.errorCode), `error ${result.errorCode}: ${result.errorMessage}`);
        assert.equal(result.baseOffset, -1);
      });
      await world.wait(Promise.all(calls));
    }
    assert.ok(refused > BATCHES / 3 && refused < BATCHES, `${refused} were refused`);
    for (const [topic, offsets] of taken) {
      const found = await readBack(world.segmentBytes(`${topic}-0`));
      assert.deepEqual(
        found,
        [...offsets.keys()].sort((a, b) => a - b),
        `${topic}: exactly what was taken is in the log`,
      );
    }
    assert.ok(process.memoryUsage().rss < MAX_BLOCK_BYTES_HELD * 4);
  },
);

/** Checks every batch, its records too. @returns base offsets */
async function readBack(bytes: Buffer): Promise<number[]> {
  const view = new BatchView();
  const found: number[] = [];
  let next = 0;
  for (let at = 0; at < bytes.length; ) {
    view.at(bytes, at);
    const { sizeBytes, baseOffset, recordCount } = view;
    assert.ok(
      sizeBytes >= BATCH_HEADER_BYTES && at + sizeBytes <= bytes.length,
      `the batch at ${at} is whole`,
    );
    assert.ok(isCrcValid(compute, bytes, at, sizeBytes), `the batch at ${at} has its checksum`);
    assert.equal(baseOffset, next, 'offsets follow on');
    const records = await recordsAt(bytes, at);
    assert.equal(records.length, recordCount);
    if (view.codec !== 0)
      for (const [i, { offset }] of records.entries()) assert.equal(offset, baseOffset + i);
    found.push(baseOffset);
    next = view.at(bytes, at).endOffset;
    at += sizeBytes;
  }
  return found;
}

function recordsAt(bytes: Buffer, start: number): Promise<RecordView[]> {
  return new Promise((resolve, reject) =>
    openRecords(bytes, start, compute, (error, records) =>
      records === null ? reject(error as Error) : resolve(records),
    ),
  );
}

function validBatch(random: Random, nowMs: number): Buffer {
  const codec = random.below(5) as CompressionCodec;
  const records = Array.from({ length: random.between(1, 8) }, () => ({
    key: random.chance(0.5) ? null : random.bytes(random.below(10)),
    value: random.chance(0.1) ? null : Buffer.alloc(random.below(random.pick([5, 100, 3_000])), 'a thread '),
    timestampMs: nowMs - random.below(1000),
    headers: random.chance(0.3) ? [{ key: 'colour', value: random.bytes(3) }] : [],
  }));
  const isIdempotent = random.chance(0.2);
  const producer = isIdempotent
    ? { producerId: 1_000 + random.below(2 ** 30), producerEpoch: 0, baseSequence: 0 }
    : {};
  let batch: Buffer | null = null;
  // Small batches are compressed inline.
  buildCompressedBatch({ records, ...producer }, { codec, level: null }, compute, (_error, built) => {
    batch = built;
  });
  assert.ok(batch !== null);
  return batch;
}

/** Some bytes changed, cut out or put in; in most cases length and checksum are made to fit, so that the damage is looked at. */
function damaged(random: Random, batch: Buffer): Buffer {
  if (random.chance(0.1)) return batch;
  let bytes = batch;
  for (let i = random.between(1, 3); i > 0; i--) bytes = wound(random, bytes);
  if (bytes.length < BATCH_HEADER_BYTES || random.chance(0.15)) return bytes;
  if (random.chance(0.8)) {
    bytes.writeInt32BE(bytes.length - 12, BatchField.batchLength);
    bytes.writeInt8(2, BatchField.magic);
    bytes.fill(0, 0, 8);
  }
  bytes.writeUInt32BE(computeBatchCrc(compute, bytes, 0, bytes.length), BatchField.crc);
  return bytes;
}

function wound(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  // The block more often than the header.
  const from = random.chance(0.7) && bytes.length > BATCH_HEADER_BYTES ? BATCH_HEADER_BYTES : 0;
  const at = random.between(from, bytes.length - 1);
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.between(1, 20)), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(Math.min(bytes.length, at + random.between(1, 9))),
      ]);
    case 3: {
      // A varint or a length that is as large as can be.
      const out = Buffer.from(bytes);
      out.fill(0xff, at, Math.min(bytes.length, at + random.between(1, 5)));
      return out;
    }
    default: {
      const out = Buffer.from(bytes);
      out.writeUInt8((out.readUInt8(at) ^ (1 << random.below(8))) & 0xff, at);
      return out;
    }
  }
}
