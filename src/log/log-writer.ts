import { assert } from '../base/assert.ts';
import { DiskError } from '../io/disk.ts';
import type { BatchView } from '../records/batch.ts';
import { markerOf } from '../records/transaction-marker.ts';
import type { ProduceRules } from '../records/validate.ts';
import type { LaneHost } from './append-lane.ts';
import type { LaneEntry } from './lane-entry.ts';
import type { LogCore } from './log-core.ts';
import type { LogFlushing } from './log-flushing.ts';
import { type Incoming, MAX_RELATIVE, mustRoll } from './roll.ts';
import { createSegment, type Segment } from './segment.ts';
import { isShortage } from './shortage.ts';

/** The lane's hands: which segment a batch goes to, rolling, and making written batches visible. */
export class LogWriter implements LaneHost {
  readonly #core: LogCore;
  readonly #flushing: LogFlushing;
  readonly #breakDown: (cause: Error) => void;
  /** Called after each publish. */
  onAppended: (() => void) | null = null;

  /** @param breakDown takes the log offline */
  constructor(core: LogCore, flushing: LogFlushing, breakDown: (cause: Error) => void) {
    this.#core = core;
    this.#flushing = flushing;
    this.#breakDown = breakDown;
  }

  get offline(): boolean {
    return this.#core.offline;
  }

  get logStartOffset(): number {
    return this.#core.offsets.start;
  }

  get logEndOffset(): number {
    return this.#core.offsets.end;
  }

  get latestEpoch(): number {
    return this.#core.epochs.latestEpoch;
  }

  get rules(): ProduceRules {
    return this.#core.rules;
  }

  segmentFor(entry: LaneEntry): Segment {
    const { segments, config, scanner, offsets } = this.#core;
    if (!mustRoll(segments.active, incomingOf(entry), config, scanner)) return segments.active;
    // Base offsets follow each other without a gap, so that recovery can tell a lost tail from compaction.
    const isNear = entry.endOffset - 1 - offsets.end <= MAX_RELATIVE;
    return this.roll(isNear ? offsets.end : entry.baseOffset, entry.request.nowMs);
  }

  hasRoom(segment: Segment, pendingBytes: number, entry: LaneEntry): boolean {
    const { config, scanner } = this.#core;
    const limitBytes = Math.min(config.segmentBytes, MAX_RELATIVE);
    if (segment.sizeBytes + pendingBytes + entry.sizeBytes > limitBytes) return false;
    return !mustRoll(segment, incomingOf(entry), config, scanner);
  }

  /** Begins a new segment at `baseOffset`, at or above the log end. Only making its files can fail, and then nothing has changed. @throws DiskError */
  roll(baseOffset: number, nowMs: number): Segment {
    const core = this.#core;
    const { segments, background, snapshots, producers } = core;
    const { clock, disk } = core.resources.environment;
    const sealed = segments.active;
    let segment: Segment;
    try {
      // Before there is a segment after it: a tail of zeros would look like records that are missing.
      sealed.trim();
      segment = createSegment(disk, core.place.path, baseOffset, nowMs);
    } catch (error) {
      if (error instanceof DiskError && !isShortage(error)) core.directory.fail(error);
      throw error;
    }
    this.setRollJitter(segment);
    this.preallocate(segment);
    sealed.seal();
    segments.push(segment);
    core.adopt(segment);
    core.tail.clear();
    core.directoryDirty = true;
    background.run((done) => sealed.persistIndexes(true, done), this.#besideFailed);
    background.run((done) => snapshots.write(baseOffset, producers, clock, done), this.#besideFailed);
    // What is sealed is made durable soon: the less a crash leaves to be recovered, the better.
    this.#flushing.flushNow();
    return segment;
  }

  /** Has the time of its roll differ from that of other logs' segments, also where all of them begin at once, as at a start. */
  setRollJitter(segment: Segment): void {
    const { config, resources } = this.#core;
    const jitterMs = Math.min(config.segmentJitterMs, config.segmentMs);
    if (jitterMs > 0) segment.rollJitterMs = resources.environment.random.below(Math.min(jitterMs, 2 ** 32));
  }

  /** Makes the file of an empty segment as long as it may get, if the topic wants that. */
  preallocate(segment: Segment): void {
    const { config, logger } = this.#core;
    if (!config.preallocate) return;
    try {
      segment.preallocate(Math.min(config.segmentBytes, MAX_RELATIVE));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      logger.warn('A segment could not be preallocated; it grows as it is written', { error });
    }
  }

  /** Not lost: indexes stay in memory and are written at the next flush, recovery does without a snapshot. */
  readonly #besideFailed = (error: DiskError): void => {
    this.#core.logger.warn('A file beside the log could not be written', { error });
  };

  publishBatch(segment: Segment, batch: BatchView, reserved: boolean): void {
    const { offsets, config, tail, epochs } = this.#core;
    const { baseOffset, endOffset, sizeBytes } = batch;
    assert(baseOffset >= offsets.end, 'a batch is published at or above the log end');
    const position = segment.sizeBytes;
    segment.add(
      {
        lastOffset: endOffset - 1,
        position,
        sizeBytes,
        maxTimestampHigh: batch.maxTimestampHigh,
        maxTimestampLow: batch.maxTimestampLow,
      },
      config.indexIntervalBytes,
    );
    tail.push(baseOffset, endOffset, position);
    if (batch.partitionLeaderEpoch > epochs.latestEpoch)
      epochs.assign(batch.partitionLeaderEpoch, baseOffset);
    if (batch.hasProducerId) this.#publishProducer(segment, batch, reserved);
    offsets.end = endOffset;
  }

  #publishProducer(segment: Segment, batch: BatchView, reserved: boolean): void {
    const { producers } = this.#core;
    const marker = markerOf(batch);
    const aborted = reserved ? producers.publish(batch, marker) : producers.apply(batch, marker);
    if (aborted !== null) segment.addAborted(aborted);
  }

  published(): void {
    this.onAppended?.();
    this.#flushing.published();
  }

  broken(error: Error): void {
    this.#breakDown(error);
  }

  writeFailed(error: DiskError): void {
    if (error.code === 'ECUT') this.#breakDown(error);
    else this.#core.logger.error('Writing to the log failed; nothing of it was kept', { error });
  }
}

function incomingOf(entry: LaneEntry): Incoming {
  return {
    sizeBytes: entry.sizeBytes,
    lastOffset: entry.endOffset - 1,
    maxTimestampMs: entry.maxTimestampMs,
    nowMs: entry.request.nowMs,
  };
}
