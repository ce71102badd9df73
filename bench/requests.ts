/** Frames that the load sends: built once, by the project's own codecs. */
import type { Uuid } from '../src/base/uuid.ts';
import { PortableCompute } from '../src/io/node/portable/compute.ts';
import { FetchRequest } from '../src/protocol/messages/fetch.ts';
import { ProduceRequest } from '../src/protocol/messages/produce.ts';
import { encodeRequest } from '../src/protocol/headers.ts';
import { BATCH_HEADER_BYTES } from '../src/records/batch.ts';
import { buildBatch } from '../src/records/builder.ts';

/** Versions that clients of Apache Kafka 4 use. */
const PRODUCE_VERSION = 12;
const FETCH_VERSION = 17;
const CLIENT_ID = 'bench';
const NO_SESSION = -1;
/** Bytes that a record's own framing takes, about. */
const RECORD_OVERHEAD_BYTES = 11;

/** An ApiVersions v0 request without its size prefix. */
export function apiVersionsFrame(): Buffer {
  return Buffer.from('0012000000000001000562656e6368', 'hex');
}

/** A frame with its size prefix. */
export function framed(content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length);
  return Buffer.concat([size, content]);
}

/** A batch of just `sizeBytes`, its records about `recordBytes` long. */
export function batchOfSize(sizeBytes: number, recordBytes: number): { batch: Buffer; records: number } {
  const count = Math.max(1, Math.floor((sizeBytes - BATCH_HEADER_BYTES) / recordBytes));
  const compute = new PortableCompute();
  const timestampMs = Date.now();
  const build = (lastValueBytes: number): Buffer => {
    const records = Array.from({ length: count }, (_, i) => ({
      key: null,
      value: Buffer.alloc(
        i === count - 1 ? lastValueBytes : recordBytes - RECORD_OVERHEAD_BYTES,
        0x61 + (i % 26),
      ),
      timestampMs,
    }));
    return buildBatch({ records }, compute);
  };
  const least = build(0).length;
  for (let valueBytes = Math.max(0, sizeBytes - least - 8); valueBytes <= sizeBytes - least; valueBytes++) {
    const batch = build(valueBytes);
    if (batch.length === sizeBytes) return { batch, records: count };
  }
  throw new Error(`no batch of ${sizeBytes} bytes has records of ${recordBytes}`);
}

/** A Produce request with its size prefix. */
export function produceFrame(topic: string, partition: number, batch: Buffer, acks = 1): Buffer {
  const topicData = [{ name: topic, partitionData: [{ index: partition, records: batch }] }];
  const parts = encodeRequest({ request: ProduceRequest }, PRODUCE_VERSION, 1, CLIENT_ID, {
    transactionalId: null,
    acks,
    timeoutMs: 30_000,
    topicData,
  });
  return Buffer.concat(parts as Buffer[]);
}

/** What a fetch asks for. */
export interface FetchOptions {
  readonly topicId: Uuid;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
  readonly minBytes?: number;
  readonly maxWaitMs?: number;
}

/** A Fetch request with its size prefix, without a session. */
export function fetchFrame(options: FetchOptions): Buffer {
  const { topicId, partition, offset, maxBytes } = options;
  const parts = encodeRequest({ request: FetchRequest }, FETCH_VERSION, 1, CLIENT_ID, {
    maxWaitMs: options.maxWaitMs ?? 500,
    minBytes: options.minBytes ?? 1,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: NO_SESSION,
    topics: [{ topicId, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes }] }],
    forgottenTopicsData: [],
    rackId: '',
  });
  return Buffer.concat(parts as Buffer[]);
}

/** The request of the bare sendfile server, with its size prefix. */
export function bareFetchFrame(position: number, lengthBytes: number): Buffer {
  const frame = Buffer.alloc(16);
  frame.writeInt32BE(12, 0);
  frame.writeBigInt64BE(BigInt(position), 4);
  frame.writeInt32BE(lengthBytes, 12);
  return frame;
}
