import type { Compute } from '../io/compute.ts';
import { NONE } from '../records/batch.ts';
import { readInt64, writeInt64 } from '../records/int64.ts';
import { CheckpointFormatError } from './checkpoint-file.ts';
import { ProducerEntry } from './producer-entry.ts';
import { finishSteps, type Steps } from './steps.ts';

/**
 * `{offset}.snapshot` (formats §12): int16 version 1, uint32 CRC-32C of all that follows it, int32 count, then entries of 46 bytes:
 *
 * ```
 *  0 producerId int64 | 8 epoch int16 | 10 lastSequence int32 | 14 lastOffset int64 | 22 offsetDelta int32 |
 * 26 timestamp int64 | 34 coordinatorEpoch int32 | 38 currentTxnFirstOffset int64
 * ```
 */
const VERSION = 1;
const HEADER_BYTES = 10;
const CRC_POSITION = 2;
const CRC_START = 6;
const ENTRY_BYTES = 46;

/** Producers that are encoded in one step. */
const ENTRIES_PER_STEP = 256;

/** The bytes of a snapshot, at once. */
export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>, compute: Compute): Buffer {
  return finishSteps(encodeInSteps([...entries], compute));
}

/** The bytes of a snapshot. The entries must not change before the end. */
export function* encodeInSteps(entries: readonly ProducerEntry[], compute: Compute): Steps<Buffer> {
  const out = Buffer.allocUnsafe(HEADER_BYTES + entries.length * ENTRY_BYTES);
  out.writeInt16BE(VERSION, 0);
  out.writeInt32BE(entries.length, CRC_START);
  let crc = compute.crc32c(out, CRC_START, HEADER_BYTES);
  for (let first = 0; first < entries.length; first += ENTRIES_PER_STEP) {
    const last = Math.min(first + ENTRIES_PER_STEP, entries.length);
    for (let i = first; i < last; i++) encodeEntry(entries[i] as ProducerEntry, out, positionOf(i));
    crc = compute.crc32c(out, positionOf(first), positionOf(last), crc);
    yield;
  }
  out.writeUInt32BE(crc, CRC_POSITION);
  return out;
}

function positionOf(index: number): number {
  return HEADER_BYTES + index * ENTRY_BYTES;
}

function encodeEntry(entry: ProducerEntry, out: Buffer, at: number): void {
  const batch = entry.lastBatch;
  writeInt64(out, at, entry.producerId);
  out.writeInt16BE(entry.epoch, at + 8);
  out.writeInt32BE(batch?.lastSequence ?? NONE, at + 10);
  writeInt64(out, at + 14, batch?.lastOffset ?? NONE);
  out.writeInt32BE(batch?.offsetDelta ?? 0, at + 22);
  writeInt64(out, at + 26, entry.lastTimestampMs);
  out.writeInt32BE(entry.coordinatorEpoch, at + 34);
  writeInt64(out, at + 38, entry.currentTxnFirstOffset);
}

/** The producers in a snapshot. @throws CheckpointFormatError when it is not whole and right */
export function decodeProducerSnapshot(bytes: Buffer, compute: Compute): ProducerEntry[] {
  if (bytes.length < HEADER_BYTES) throw new CheckpointFormatError('producer snapshot is cut short');
  const version = bytes.readInt16BE(0);
  if (version !== VERSION) throw new CheckpointFormatError(`producer snapshot of version ${version}`);
  if (compute.crc32c(bytes, CRC_START, bytes.length) !== bytes.readUInt32BE(CRC_POSITION)) {
    throw new CheckpointFormatError('producer snapshot with a wrong CRC');
  }
  const count = bytes.readInt32BE(CRC_START);
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) {
    throw new CheckpointFormatError(`producer snapshot of ${bytes.length} bytes with ${count} entries`);
  }
  const entries: ProducerEntry[] = [];
  for (let i = 0; i < count; i++) entries.push(decodeEntry(bytes, positionOf(i)));
  return entries;
}

function decodeEntry(bytes: Buffer, at: number): ProducerEntry {
  const entry = new ProducerEntry(readInt64(bytes, at));
  const epoch = bytes.readInt16BE(at + 8);
  const lastOffset = readInt64(bytes, at + 14);
  const timestampMs = readInt64(bytes, at + 26);
  if (lastOffset >= 0) {
    const lastSequence = bytes.readInt32BE(at + 10);
    entry.addBatch(epoch, { lastSequence, lastOffset, offsetDelta: bytes.readInt32BE(at + 22), timestampMs });
  }
  entry.epoch = epoch;
  entry.lastTimestampMs = timestampMs;
  entry.coordinatorEpoch = bytes.readInt32BE(at + 34);
  entry.currentTxnFirstOffset = readInt64(bytes, at + 38);
  return entry;
}
