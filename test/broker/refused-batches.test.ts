/** Every row of formats §9 that one node can meet: Kafka's error code, and where there is one, nothing in the log, not a byte. Producer sequences: see `sequences.test.ts`. */
import assert from 'node:assert/strict';
import { ErrorCode, errorName } from '../../src/base/errors.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';
import { BatchField } from '../../src/records/batch.ts';
import { blockOf, bytesOf, forged, recordOf, sealed } from './batch-forge.ts';
import { Bench, batchOf } from './records.ts';
import { testInWorlds } from './worlds.ts';

interface Row {
  readonly name: string;
  readonly code: ErrorCode;
  readonly bytes: Buffer | null;
  readonly topic?: string;
  readonly version?: number;
  readonly acks?: number;
  readonly clientId?: string;
  /** Indexes of the records that are named in the answer. */
  readonly recordErrors?: readonly number[];
}

const { INVALID_RECORD, CORRUPT_MESSAGE, NONE } = ErrorCode;
const MAX_MESSAGE_BYTES = 2_000;
const HOUR_MS = 3_600_000;
const CODECS = [1, 2, 3, 4] as const;
const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  t: { 'max.message.bytes': String(MAX_MESSAGE_BYTES), 'message.timestamp.before.max.ms': String(HOUR_MS) },
  compacted: { 'cleanup.policy': 'compact' },
  segments: { 'internal.segment.bytes': '500' },
  appendTime: { 'message.timestamp.type': 'LogAppendTime' },
  plain: { 'compression.type': 'uncompressed', 'max.message.bytes': String(MAX_MESSAGE_BYTES) },
};

function rows(nowMs: number): Row[] {
  const good = (values: readonly string[] = ['a', 'b', 'c'], timestampMs = nowMs): Buffer =>
    batchOf(values, {}, timestampMs);
  return [
    ...framing(good),
    ...headers(good, nowMs),
    ...contents(nowMs),
    ...expansion(nowMs),
    ...times(good, nowMs),
    ...rules(good, nowMs),
  ];
}

type Good = (values?: readonly string[], timestampMs?: number) => Buffer;

function framing(good: Good): Row[] {
  const raw = (change: (batch: Buffer) => void): Buffer => {
    const batch = good();
    change(batch);
    return batch;
  };
  return [
    { name: 'no records', code: INVALID_RECORD, bytes: null },
    { name: 'no bytes', code: INVALID_RECORD, bytes: Buffer.alloc(0) },
    { name: 'two batches', code: INVALID_RECORD, bytes: Buffer.concat([good(), good()]) },
    ...[0, 1].map((magic) => ({
      name: `magic ${magic}`,
      code: INVALID_RECORD,
      bytes: raw((batch) => batch.writeInt8(magic, BatchField.magic)),
    })),
    {
      name: 'a magic that does not exist',
      code: CORRUPT_MESSAGE,
      bytes: raw((batch) => batch.writeInt8(3, BatchField.magic)),
    },
    {
      name: 'a wrong checksum',
      code: CORRUPT_MESSAGE,
      bytes: raw((batch) => batch.writeUInt32BE(1, BatchField.crc)),
    },
    // Kafka's reader sees no batch in one that is cut short.
    ...[1, 12, 17, 60, 70].map((bytes) => ({
      name: `${bytes} bytes of a batch`,
      code: INVALID_RECORD,
      bytes: good().subarray(0, bytes),
    })),
    ...[-0x80000000, -1, 0, 13].map((length) => ({
      name: `a batch of length ${length}`,
      code: CORRUPT_MESSAGE,
      bytes: raw((batch) => batch.writeInt32BE(length, BatchField.batchLength)),
    })),
  ];
}

function headers(good: Good, nowMs: number): Row[] {
  const changed = (name: string, change: (batch: Buffer) => void): Row => ({
    name,
    code: INVALID_RECORD,
    bytes: sealed(good(), change),
  });
  const counts = (recordCount: number, lastOffsetDelta: number): Row =>
    changed(`record count ${recordCount}, last offset delta ${lastOffsetDelta}`, (batch) => {
      batch.writeInt32BE(recordCount, BatchField.recordCount);
      batch.writeInt32BE(lastOffsetDelta, BatchField.lastOffsetDelta);
    });
  const attributes = (name: string, value: number, code: ErrorCode): Row => ({
    name,
    code,
    bytes: sealed(good(), (batch) => batch.writeInt16BE(value, BatchField.attributes)),
  });
  return [
    changed('a base offset of 1', (batch) => batch.writeInt32BE(1, BatchField.baseOffset + 4)),
    changed('a negative base offset', (batch) => batch.writeInt32BE(-1, BatchField.baseOffset)),
    counts(0, -1),
    counts(0, 2),
    counts(-1, -2),
    counts(-0x80000000, 0x7fffffff),
    counts(3, 3),
    counts(3, 1),
    counts(2, 1),
    counts(4, 3),
    counts(0x7fffffff, 0x7ffffffe),
    attributes('the control bit', 0x20, INVALID_RECORD),
    attributes('the control bit, compressed', 0x21, INVALID_RECORD),
    ...[5, 6, 7].map((codec) => attributes(`codec ${codec}`, codec, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)),
    {
      name: 'a producer id without a sequence',
      code: INVALID_RECORD,
      bytes: batchOf(['x'], { producerId: 5, producerEpoch: 0 }, nowMs),
    },
  ];
}

/** Bodies of records that are wrong: what stands after the attributes. */
const BAD_RECORDS: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a length past the end', bytesOf(100, Buffer.alloc(8))],
  ['a negative length', bytesOf(-1, Buffer.alloc(8))],
  ['a length of 0', bytesOf(0, recordOf(0, 0, -1, -1, 0))],
  ['a length that does not end', Buffer.alloc(8, 0xff)],
  ['a length of 2^31 - 1', bytesOf(0x7fffffff, Buffer.alloc(8))],
  ['a timestamp delta that does not end', recordOf(Buffer.alloc(11, 0x80))],
  ['an offset delta that does not end', recordOf(0, Buffer.alloc(6, 0x80))],
  ['a key past the end', recordOf(0, 0, 50, -1, 0)],
  ['a key of 2^31 - 1 bytes', recordOf(0, 0, 0x7fffffff, -1, 0)],
  ['a value past the end', recordOf(0, 0, -1, 50, 0)],
  ['a value of 2^31 - 1 bytes', recordOf(0, 0, -1, 0x7fffffff, 0)],
  ['a negative number of headers', recordOf(0, 0, -1, -1, -1)],
  ['a header that is not there', recordOf(0, 0, -1, -1, 1)],
  ['2^31 - 1 headers', recordOf(0, 0, -1, -1, 0x7fffffff)],
  ['a header without a name', recordOf(0, 0, -1, -1, 1, -1, -1)],
  ['a header name past the end', recordOf(0, 0, -1, -1, 1, 9, -1)],
  ['a header value past the end', recordOf(0, 0, -1, -1, 1, 0, 9)],
  ['a byte too many in the record', recordOf(0, 0, -1, -1, 0, 0)],
  ['a byte too many after the record', bytesOf(recordOf(0, 0, -1, -1, 0), 0)],
  ['a second record that is not counted', bytesOf(recordOf(0, 0, -1, -1, 0), recordOf(0, 1, -1, -1, 0))],
];

function contents(nowMs: number): Row[] {
  const found: Row[] = [];
  for (const codec of [0, ...CODECS] as const) {
    const as = (name: string, code: ErrorCode, block: Buffer, raw = false): void => {
      found.push({
        name: `${CODEC_NAMES[codec]}: ${name}`,
        code,
        bytes: forged(block, { codec, raw, timestampMs: nowMs }),
      });
    };
    for (const [name, block] of BAD_RECORDS) as(name, INVALID_RECORD, block);
    if (codec === 0) continue;
    const inner = batchOf(['x'], {}, nowMs);
    as('a batch within the batch', INVALID_RECORD, inner);
    const nested = forged(blockOf(inner), { codec: 1, timestampMs: nowMs });
    as('a compressed batch within the batch', INVALID_RECORD, nested);
    as('records that are compressed twice', INVALID_RECORD, blockOf(forged(blockOf(inner), { codec })));
    as('what is not compressed', CORRUPT_MESSAGE, blockOf(inner), true);
    as('nothing that could be decompressed', CORRUPT_MESSAGE, Buffer.alloc(0), true);
    const packed = blockOf(forged(blockOf(inner), { codec }));
    as('half of the compressed bytes', CORRUPT_MESSAGE, packed.subarray(0, packed.length >> 1), true);
  }
  return found;
}

function expansion(nowMs: number): Row[] {
  const one = (codec: CompressionCodec, valueBytes: number): Buffer =>
    forged(recordOf(0, 0, -1, valueBytes, Buffer.alloc(valueBytes), 0), { codec, timestampMs: nowMs });
  return [
    ...([1, 4] as const).map((codec) => ({
      name: `${CODEC_NAMES[codec]}: a batch that is small enough, of a record of 800 kB`,
      code: NONE,
      bytes: one(codec, 800_000),
    })),
    ...CODECS.map((codec) => ({
      name: `${CODEC_NAMES[codec]}: a batch that is small enough, and too large when it is stored plain`,
      code: ErrorCode.MESSAGE_TOO_LARGE,
      topic: 'plain',
      bytes: one(codec, 3_000),
    })),
    ...CODECS.map((codec) => ({
      name: `${CODEC_NAMES[codec]}: offset deltas that are not 0, 1, 2`,
      code: NONE,
      bytes: forged(Buffer.concat([recordOf(0, 7, -1, -1, 0), recordOf(0, -3, -1, -1, 0)]), {
        codec,
        count: 2,
        timestampMs: nowMs,
      }),
    })),
    {
      name: 'zstd: a batch of a few kilobytes that would expand to more than 128 MiB',
      code: ErrorCode.MESSAGE_TOO_LARGE,
      topic: 'appendTime',
      bytes: one(4, 135_000_000),
    },
  ];
}

function times(good: Good, nowMs: number): Row[] {
  return [
    {
      name: 'a time too long ago',
      code: ErrorCode.INVALID_TIMESTAMP,
      bytes: good(['x'], nowMs - HOUR_MS - 60_000),
      recordErrors: [0],
    },
    { name: 'a time just not so long ago', code: NONE, bytes: good(['x'], nowMs - HOUR_MS + 60_000) },
    {
      name: 'a time too far ahead',
      code: ErrorCode.INVALID_TIMESTAMP,
      bytes: good(['x', 'y'], nowMs + HOUR_MS + 60_000),
      recordErrors: [0, 1],
    },
    { name: 'no time', code: NONE, bytes: good(['x'], -1) },
    {
      name: 'a time ahead where the broker gives it',
      code: NONE,
      topic: 'appendTime',
      bytes: good(['x'], nowMs + 9 * HOUR_MS),
    },
    {
      name: 'a claim that the broker gave the time',
      code: ErrorCode.INVALID_TIMESTAMP,
      topic: 'appendTime',
      bytes: batchOf(['x'], { logAppendTimeMs: nowMs }, nowMs),
      recordErrors: [0],
    },
  ];
}

function rules(good: Good, nowMs: number): Row[] {
  const keys = (...present: boolean[]): Buffer =>
    Buffer.concat(
      present.map((is, i) => (is ? recordOf(0, i, 1, Buffer.from('k'), -1, 0) : recordOf(0, i, -1, -1, 0))),
    );
  const keyed = (codec: CompressionCodec, ...present: boolean[]): Buffer =>
    forged(keys(...present), { codec, count: present.length, timestampMs: nowMs });
  const sized = (bytes: number): Buffer => good(['v'.repeat(bytes - good(['']).length - 2)]);
  return [
    {
      name: 'zstd before version 7',
      code: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      version: 6,
      bytes: forged(blockOf(good(['x'])), { codec: 4, timestampMs: nowMs }),
    },
    { name: 'acks 2', code: ErrorCode.INVALID_REQUIRED_ACKS, acks: 2, bytes: good() },
    { name: 'acks -2', code: ErrorCode.INVALID_REQUIRED_ACKS, acks: -2, bytes: good() },
    { name: 'a batch of max.message.bytes', code: NONE, bytes: sized(MAX_MESSAGE_BYTES) },
    { name: 'one byte more', code: ErrorCode.MESSAGE_TOO_LARGE, bytes: sized(MAX_MESSAGE_BYTES + 1) },
    { name: 'a batch of a segment', code: NONE, topic: 'segments', bytes: sized(500) },
    {
      name: 'one byte more than a segment',
      code: ErrorCode.RECORD_LIST_TOO_LARGE,
      topic: 'segments',
      bytes: sized(501),
    },
    ...([0, 1, 4] as const).map((codec) => ({
      name: `${CODEC_NAMES[codec]}: records without a key on a compacted topic`,
      code: INVALID_RECORD,
      topic: 'compacted',
      bytes: keyed(codec, true, false, true, false),
      recordErrors: [1, 3],
    })),
    {
      name: 'records without a key on a compacted topic, before version 8',
      code: INVALID_RECORD,
      topic: 'compacted',
      version: 7,
      bytes: keyed(0, false),
      recordErrors: [],
    },
    { name: 'only records with keys', code: NONE, topic: 'compacted', bytes: keyed(0, true, true) },
    {
      name: 'an internal topic',
      code: ErrorCode.INVALID_TOPIC_EXCEPTION,
      topic: '__consumer_offsets',
      bytes: good(),
    },
    {
      name: 'an internal topic by the admin client',
      code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      topic: '__consumer_offsets',
      clientId: '__admin_client',
      bytes: good(),
    },
    {
      name: 'a topic that does not exist',
      code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      topic: 'nowhere',
      bytes: good(),
    },
  ];
}

testInWorlds('every batch that is refused has Kafka’s error code and leaves no byte', async (world) => {
  const bench = await Bench.open(world, { 'auto.create.topics.enable': 'false' });
  for (const [name, configs] of Object.entries(TOPICS)) await bench.createTopic(name, 1, configs);
  const table = rows(world.wallMs());
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length, 'each row has its name');
  const ends = new Map<string, number>();
  for (const {
    name,
    code,
    bytes,
    topic = 't',
    version = 12,
    acks = -1,
    clientId = 'test',
    recordErrors,
  } of table) {
    const isThere = topic in TOPICS;
    const before = isThere ? world.segmentBytes(`${topic}-0`) : null;
    const result = await bench.produce(topic, bytes, { version, acks, clientId });
    assert.equal(errorName(result.errorCode), errorName(code), name);
    if (recordErrors !== undefined)
      assert.deepEqual(
        result.recordErrors.map(({ batchIndex }) => batchIndex),
        recordErrors,
        name,
      );
    if (!isThere) continue;
    const end = ends.get(topic) ?? 0;
    const { highWatermark } = await bench.fetch(topic, 0);
    if (code === NONE) {
      assert.equal(result.baseOffset, end, name);
      assert.ok(highWatermark > end, name);
    } else {
      assert.equal(result.baseOffset, -1, name);
      assert.equal(highWatermark, end, `${name}: the end of the log`);
      assert.ok(world.segmentBytes(`${topic}-0`).equals(before as Buffer), `${name}: the bytes of the log`);
    }
    ends.set(topic, highWatermark);
  }
  assert.deepEqual(
    world.lines.filter(({ level }) => level === 'error' || level === 'warn').map(({ message }) => message),
    [],
  );
});
