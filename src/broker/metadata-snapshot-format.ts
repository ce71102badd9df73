import { assert } from '../base/assert.ts';
import { BrokerError } from '../base/broker-error.ts';
import type { Compute } from '../io/compute.ts';
import type { Steps } from '../log/steps.ts';
import { type MetadataRecord, decodeRecord } from '../metadata/metadata-record.ts';
import { BATCH_HEADER_BYTES, BatchView, isCrcValid } from '../records/batch.ts';
import {
  buildControlBatch,
  type ControlRecord,
  decodeControlRecord,
  type VoterEntry,
} from '../records/control-records.ts';
import { readRecords, RecordFormatError } from '../records/reader.ts';
import { MAX_METADATA_BATCH_BYTES, MAX_RECORDS_A_BATCH, MetadataBatchBuilder } from './metadata-batches.ts';

/**
 * The content of a metadata snapshot, and of `bootstrap.checkpoint` (formats §16): uncompressed batches of magic 2 whose offsets count from 0 within the file.
 *
 *     control batch   SNAPSHOT_HEADER, and with kraft.version >= 1 KRAFT_VERSION and, if known, KRAFT_VOTERS
 *     data batches    metadata records that make the state out of nothing
 *     control batch   SNAPSHOT_FOOTER
 */

/** What a snapshot says besides metadata records. */
export interface SnapshotPreamble {
  /** Timestamp of the last record of the log that is in it, ms; 0 in a bootstrap file. */
  readonly lastContainedLogTimestampMs: number;
  /** `kraft.version`, 0 where it is not named. */
  readonly kraftVersion: number;
  /** Null where the voters are not named (kraft.version 0). */
  readonly voters: readonly VoterEntry[] | null;
}

/** What stands in the header of each batch of the file. */
export interface SnapshotStamp {
  /** Epoch of the last record contained; 0 in a bootstrap file. */
  readonly epoch: number;
  /** Wall clock, ms. */
  readonly nowMs: number;
}

/** Bytes read at a time. */
const READ_BYTES = 256 * 1024;
/** A batch of this size or more is not one of a snapshot: Kafka's writer splits at 8 MiB, whatever its configuration. */
const MAX_BATCH_BYTES = 2 * MAX_METADATA_BATCH_BYTES;

/** The batches of a snapshot, in order; each buffer is the caller's. One batch of records at most is in memory. */
export function* snapshotBatches(
  preamble: SnapshotPreamble,
  records: Iterable<MetadataRecord>,
  stamp: SnapshotStamp,
  compute: Compute,
): IterableIterator<Buffer> {
  const header = headerRecords(preamble);
  yield controlBatch(header, 0, stamp, compute);
  let offset = header.length;
  const builder = new MetadataBatchBuilder(compute);
  const finish = (): Buffer => {
    const { recordCount } = builder;
    const batch = builder.build({ baseOffset: offset, epoch: stamp.epoch, timestampMs: stamp.nowMs });
    offset += recordCount;
    return batch;
  };
  for (const record of records) {
    if (builder.recordCount < MAX_RECORDS_A_BATCH && builder.add(record)) continue;
    if (builder.recordCount > 0) yield finish();
    assert(builder.add(record), 'a record that was in a batch of the log fits one of a snapshot');
  }
  if (builder.recordCount > 0) yield finish();
  yield controlBatch([{ type: 'SNAPSHOT_FOOTER' }], offset, stamp, compute);
}

type WritableControl = Exclude<ControlRecord, { type: 'UNKNOWN' }>;

function headerRecords(preamble: SnapshotPreamble): WritableControl[] {
  const { lastContainedLogTimestampMs, kraftVersion, voters } = preamble;
  const records: WritableControl[] = [{ type: 'SNAPSHOT_HEADER', lastContainedLogTimestampMs }];
  if (kraftVersion > 0) records.push({ type: 'KRAFT_VERSION', kraftVersion });
  if (kraftVersion > 0 && voters !== null) records.push({ type: 'KRAFT_VOTERS', voters });
  return records;
}

function controlBatch(
  records: readonly WritableControl[],
  baseOffset: number,
  stamp: SnapshotStamp,
  compute: Compute,
): Buffer {
  return buildControlBatch(
    { records, timestampMs: stamp.nowMs, baseOffset, partitionLeaderEpoch: stamp.epoch },
    compute,
  );
}

/** Where the bytes of a snapshot come from. */
export interface SnapshotSource {
  /** For messages. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Reads up to `lengthBytes` from `position` into the start of `target`; returns how many, 0 at the end. @throws DiskError */
  read(position: number, target: Buffer, lengthBytes: number): number;
}

/**
 * Reads a snapshot in steps, and checks all of it: crc, form, offsets without a gap, header first and footer last. `take` gets the metadata records in
 * order, with their offsets in the file.
 * @throws BrokerError `METADATA_CORRUPT` or `METADATA_UNSUPPORTED`, with the file's name; DiskError
 */
export function* readSnapshot(
  source: SnapshotSource,
  compute: Compute,
  take: (record: MetadataRecord, offset: number) => void,
): Steps<SnapshotPreamble> {
  const batches = new SnapshotBatches(source, compute);
  let preamble: SnapshotPreamble | null = null;
  let isWhole = false;
  while (batches.next()) {
    if (isWhole) throw batches.damaged('something follows the footer');
    if (preamble === null) {
      preamble = batches.isControl ? readPreamble(batches.controls()) : null;
      if (preamble === null) throw batches.damaged(NO_HEADER);
    } else if (batches.isControl) {
      isWhole = batches.controls().some(({ type }) => type === 'SNAPSHOT_FOOTER');
    } else {
      for (const { offset, value } of batches.records()) {
        if (value === null) throw batches.damaged(`the record at offset ${offset} has no value`);
        take(
          batches.check(() => decodeRecord(value, offset)),
          offset,
        );
      }
    }
    yield;
  }
  if (preamble === null || !isWhole) throw batches.damaged('it ends before its footer');
  return preamble;
}

/**
 * What a snapshot says at its beginning; the rest is not looked at.
 * @throws BrokerError as `readSnapshot`; DiskError
 */
export function readSnapshotPreamble(source: SnapshotSource, compute: Compute): SnapshotPreamble {
  const batches = new SnapshotBatches(source, compute);
  const preamble = batches.next() && batches.isControl ? readPreamble(batches.controls()) : null;
  if (preamble === null) throw batches.damaged(NO_HEADER);
  return preamble;
}

const NO_HEADER = 'it does not begin with a snapshot header';

function readPreamble(controls: readonly ControlRecord[]): SnapshotPreamble | null {
  const [first] = controls;
  if (first?.type !== 'SNAPSHOT_HEADER') return null;
  const version = controls.find((record) => record.type === 'KRAFT_VERSION');
  const voters = controls.find((record) => record.type === 'KRAFT_VOTERS');
  return {
    lastContainedLogTimestampMs: first.lastContainedLogTimestampMs,
    kraftVersion: version?.kraftVersion ?? 0,
    voters: voters?.voters ?? null,
  };
}

/** The batches of a snapshot one after the other, each checked before it is shown. */
class SnapshotBatches {
  readonly #source: SnapshotSource;
  readonly #compute: Compute;
  readonly #view = new BatchView();
  #buffer = Buffer.allocUnsafe(READ_BYTES);
  #position = 0;
  #nextOffset = 0;

  constructor(source: SnapshotSource, compute: Compute) {
    this.#source = source;
    this.#compute = compute;
  }

  /** Goes to the next batch; false at the end of the file. @throws BrokerError, DiskError */
  next(): boolean {
    if (this.#position === this.#source.sizeBytes) return false;
    if (!this.#fill(BATCH_HEADER_BYTES)) throw this.damaged('a batch is cut short');
    const view = this.#view.at(this.#buffer, 0);
    const { sizeBytes } = view;
    if (view.magic !== 2 || sizeBytes < BATCH_HEADER_BYTES || sizeBytes > MAX_BATCH_BYTES) {
      throw this.damaged('there is no batch');
    }
    if (!this.#fill(sizeBytes)) throw this.damaged('a batch is cut short');
    this.#view.at(this.#buffer, 0);
    if (!isCrcValid(this.#compute, this.#buffer, 0, sizeBytes)) throw this.damaged('a batch has a wrong CRC');
    if (view.baseOffset !== this.#nextOffset || view.recordCount !== view.lastOffsetDelta + 1) {
      throw this.damaged('its offsets have a gap');
    }
    this.#nextOffset = view.endOffset;
    this.#position += sizeBytes;
    return true;
  }

  /** True if the present batch is one of control records. */
  get isControl(): boolean {
    return this.#view.isControl;
  }

  /** The present batch's records, on bytes of their own. */
  records(): ReturnType<typeof readRecords> {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#view.sizeBytes));
    return this.check(() => readRecords(bytes, 0));
  }

  /** The present batch's control records. */
  controls(): ControlRecord[] {
    return this.records().map(({ key, value }) => this.check(() => decodeControlRecord(key, value)));
  }

  /** What `read` returns; what it finds wrong with the bytes names the file. */
  check<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof RecordFormatError) throw this.damaged(cause.message);
      if (cause instanceof BrokerError)
        throw new BrokerError(cause.code, `${this.#source.path}: ${cause.message}`);
      throw cause;
    }
  }

  damaged(what: string): BrokerError {
    return new BrokerError(
      'METADATA_CORRUPT',
      `${this.#source.path} is damaged at byte ${this.#position}: ${what}; restore the file, or remove it if the cluster can do without`,
    );
  }

  /** Has the next `lengthBytes` at the start of the buffer; false if the file has fewer. */
  #fill(lengthBytes: number): boolean {
    if (this.#position + lengthBytes > this.#source.sizeBytes) return false;
    if (lengthBytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(lengthBytes);
    let filled = 0;
    while (filled < lengthBytes) {
      const target = this.#buffer.subarray(filled, lengthBytes);
      const read = this.#source.read(this.#position + filled, target, target.length);
      if (read === 0) return false;
      filled += read;
    }
    return true;
  }
}
