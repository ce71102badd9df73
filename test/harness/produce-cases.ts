import type { Compute } from '../../src/io/compute.ts';
import { BatchField, computeBatchCrc } from '../../src/records/batch.ts';
import { type BatchInput, buildBatch } from '../../src/records/builder.ts';

/** One way to fill the `records` field of a Produce request. */
export interface ProduceCase {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Batches from good to broken, meant to be produced in this order into a topic with `max.message.bytes` 10000: what a broker answers to one
 * may depend on those before it.
 */
export function produceCases(compute: Compute, nowMs: number): ProduceCase[] {
  const maker = new CaseMaker(compute, nowMs);
  return [...framing(maker), ...headers(maker), ...records(maker), ...timestamps(maker), ...producers(maker)];
}

class CaseMaker {
  readonly #compute: Compute;
  readonly nowMs: number;

  constructor(compute: Compute, nowMs: number) {
    this.#compute = compute;
    this.nowMs = nowMs;
  }

  /** Three records of two bytes, all of the same time. */
  good(input: Partial<BatchInput> = {}, timestampMs = this.nowMs): Buffer {
    const three = [0, 1, 2].map((i) => ({ key: null, value: Buffer.from(`v${i}`), timestampMs }));
    return buildBatch({ records: three, ...input }, this.#compute);
  }

  /** A batch with one record of `valueBytes`. */
  sized(valueBytes: number): Buffer {
    return this.good({ records: [{ key: null, value: Buffer.alloc(valueBytes), timestampMs: this.nowMs }] });
  }

  /** A changed batch whose checksum does not fit any more. */
  raw(change: (batch: Buffer) => void): Buffer {
    const batch = this.good();
    change(batch);
    return batch;
  }

  /** A changed batch with a checksum that fits. */
  sealed(change: (batch: Buffer) => void): Buffer {
    const batch = this.raw(change);
    batch.writeUInt32BE(computeBatchCrc(this.#compute, batch, 0, batch.length), BatchField.crc);
    return batch;
  }
}

function framing(maker: CaseMaker): ProduceCase[] {
  const size = maker.good().length;
  const cut = (bytes: number) => ({
    name: `${bytes} bytes of a batch of ${size}`,
    bytes: maker.good().subarray(0, bytes),
  });
  const length = (value: number) => ({
    name: `batch length ${value}`,
    bytes: maker.raw((batch) => batch.writeInt32BE(value, BatchField.batchLength)),
  });
  const magic = (value: number) => ({
    name: `magic ${value}`,
    bytes: maker.raw((batch) => batch.writeInt8(value, BatchField.magic)),
  });
  const followed = (name: string, tail: Buffer) => ({
    name: `a batch and ${name}`,
    bytes: Buffer.concat([maker.good(), tail]),
  });
  return [
    { name: 'one batch', bytes: maker.good() },
    { name: 'nothing', bytes: Buffer.alloc(0) },
    ...[5, 11, 12, 13, 16, 17, 30, 50, 60, 61, size - 1].map(cut),
    ...[-0x80000000, -1, 0, 13, 14, 48, size - 13, size - 11].map(length),
    ...[-1, 0, 1, 3].map(magic),
    { name: 'half a batch of magic 3', bytes: magic(3).bytes.subarray(0, 50) },
    { name: 'half a batch of magic 1', bytes: magic(1).bytes.subarray(0, 50) },
    followed('1 byte', Buffer.alloc(1)),
    followed('11 bytes', Buffer.alloc(11)),
    followed('12 zero bytes', Buffer.alloc(12)),
    followed('30 zero bytes', Buffer.alloc(30)),
    followed('half a batch', maker.good().subarray(0, 40)),
    followed('half a batch of magic 9', magic(9).bytes.subarray(0, 40)),
    followed('another batch', maker.good()),
    followed('another batch with a wrong checksum', flipped(maker)),
    { name: 'a wrong checksum', bytes: flipped(maker) },
  ];
}

function flipped(maker: CaseMaker): Buffer {
  return maker.raw((batch) => batch.writeUInt8((batch.at(-2) ?? 0) ^ 0xff, batch.length - 2));
}

function headers(maker: CaseMaker): ProduceCase[] {
  const counts = (recordCount: number, lastOffsetDelta: number) => ({
    name: `record count ${recordCount}, last offset delta ${lastOffsetDelta}`,
    bytes: maker.sealed((batch) => {
      batch.writeInt32BE(recordCount, BatchField.recordCount);
      batch.writeInt32BE(lastOffsetDelta, BatchField.lastOffsetDelta);
    }),
  });
  const attributes = (value: number, name: string) => ({
    name: `attributes: ${name}`,
    bytes: maker.sealed((batch) => batch.writeInt16BE(value, BatchField.attributes)),
  });
  return [
    { name: 'base offset 5', bytes: maker.sealed((batch) => batch.writeInt32BE(5, 4)) },
    counts(0, 2),
    counts(-1, 2),
    counts(3, 7),
    counts(2, 2),
    counts(4, 3),
    counts(2, 1),
    attributes(0x20, 'control'),
    attributes(0x10, 'transactional, without a producer id'),
    attributes(0x08, 'LogAppendTime'),
    attributes(0x40, 'delete horizon'),
    attributes(0x7f80, 'all unused bits'),
    attributes(5, 'codec 5'),
    attributes(7, 'codec 7'),
    attributes(1, 'gzip, of what is none'),
    attributes(2, 'snappy, of what is none'),
    attributes(3, 'lz4, of what is none'),
    attributes(4, 'zstd, of what is none'),
    { name: 'the largest batch that is allowed', bytes: maker.sized(9_929) },
    { name: 'a batch one byte too large', bytes: maker.sized(9_930) },
  ];
}

/** The first record begins at byte 61: length, attributes, timestamp delta, offset delta, key length, value length, value, header count. */
function records(maker: CaseMaker): ProduceCase[] {
  const record = (name: string, at: number, value: number) => ({
    name: `first record: ${name}`,
    bytes: maker.sealed((batch) => batch.writeUInt8(value, 61 + at)),
  });
  return [
    record('length past the end', 0, 126),
    record('negative length', 0, 1),
    record('attributes 9', 1, 9),
    record('offset delta 4', 3, 8),
    record('key length -2', 4, 3),
    record('value length past the end', 5, 126),
    record('negative header count', 8, 1),
    record('one header that is not there', 8, 2),
  ];
}

function timestamps(maker: CaseMaker): ProduceCase[] {
  const at = (name: string, timestampMs: number) => ({
    name: `timestamps: ${name}`,
    bytes: maker.good({}, timestampMs),
  });
  const header = (name: string, field: number, value: bigint) => ({
    name: `timestamps: ${name}`,
    bytes: maker.sealed((batch) => batch.writeBigInt64BE(value, field)),
  });
  const minuteMs = 60_000;
  return [
    at('none', -1),
    at('-2', -2),
    at('0', 0),
    at('a day ago', maker.nowMs - 1_440 * minuteMs),
    at('in 50 minutes', maker.nowMs + 50 * minuteMs),
    at('in 70 minutes', maker.nowMs + 70 * minuteMs),
    header('a largest one that is not there', BatchField.maxTimestamp, 5n),
    header('a largest one of -1', BatchField.maxTimestamp, -1n),
    header('past 2^53', BatchField.baseTimestamp, 2n ** 60n),
  ];
}

function producers(maker: CaseMaker): ProduceCase[] {
  const producer = (producerId: number, producerEpoch: number, baseSequence: number, note = '') => ({
    name: `producer ${producerId}, epoch ${producerEpoch}, sequence ${baseSequence}${note}`,
    bytes: maker.good({ producerId, producerEpoch, baseSequence }),
  });
  return [
    producer(-1, 3, 4),
    producer(5, -1, 0),
    producer(6, 0, -1),
    producer(7, 0, 0),
    producer(7, 0, 0, ', again'),
    producer(7, 0, 3),
    producer(7, 0, 2),
    producer(7, 0, 9),
    producer(7, 1, 3),
    producer(7, 1, 0),
    producer(7, 0, 6),
    producer(8, 0, 5),
    producer(9, 0, 0x7fffffff),
    producer(9, 0, 2, ', after 0x7fffffff, 0, 1'),
    producer(-5, 0, 0),
  ];
}
