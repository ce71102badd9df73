import { assert } from '../base/assert.ts';

/** Offsets that checkpoints hold of a log. */
export interface CheckpointedOffsets {
  recoveryPoint: number;
  logStartOffset: number;
  highWatermark: number;
}

/** The offsets that bound a log, and what its directory's checkpoints say of them. */
export class LogOffsets {
  /** First offset that may be read. */
  start: number;
  /** Offset after the last published record. */
  end: number;
  /** Everything below is on the device. */
  flushedEnd: number;
  highWatermark: number;
  /** A cut at this offset is about to happen: checkpoints must not promise anything above. */
  cutAt = Number.POSITIVE_INFINITY;
  /** The most that a start of the broker may find in the checkpoints. A checkpoint that says more than is true would have bytes trusted that never came to the device. */
  readonly checkpointed: CheckpointedOffsets;

  constructor(
    offsets: { start: number; end: number; flushedEnd: number; highWatermark: number },
    checkpointed: CheckpointedOffsets,
  ) {
    this.start = offsets.start;
    this.end = offsets.end;
    this.flushedEnd = offsets.flushedEnd;
    this.highWatermark = offsets.highWatermark;
    this.checkpointed = checkpointed;
    this.checkInvariants();
  }

  /** What checkpoints may say now. */
  get claims(): Readonly<CheckpointedOffsets> {
    const { cutAt } = this;
    return {
      recoveryPoint: Math.min(this.flushedEnd, cutAt),
      logStartOffset: Math.min(this.start, cutAt),
      highWatermark: Math.min(this.highWatermark, cutAt),
    };
  }

  /** True if the checkpoints say no more than they may. */
  get isSettled(): boolean {
    const { checkpointed, claims } = this;
    return (
      checkpointed.recoveryPoint <= claims.recoveryPoint &&
      checkpointed.logStartOffset <= claims.logStartOffset &&
      checkpointed.highWatermark <= claims.highWatermark
    );
  }

  /** The log ends at `offset` now. */
  cut(offset: number): void {
    this.end = offset;
    this.start = Math.min(this.start, offset);
    this.flushedEnd = Math.min(this.flushedEnd, offset);
    this.highWatermark = Math.min(this.highWatermark, offset);
    this.cutAt = Number.POSITIVE_INFINITY;
  }

  /** The log is empty and begins at `offset` now. */
  restartAt(offset: number): void {
    this.cut(offset);
    this.start = offset;
    this.end = offset;
    this.flushedEnd = offset;
    this.highWatermark = offset;
  }

  /** Asserts their order. */
  checkInvariants(): void {
    assert(this.start <= this.end, 'the log start is not above the log end');
    assert(this.flushedEnd <= this.end, 'only what is published counts as flushed');
    assert(this.highWatermark <= this.end, 'the high watermark is not above the log end');
  }
}
