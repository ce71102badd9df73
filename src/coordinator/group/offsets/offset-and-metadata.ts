import type { Uuid } from '../../../base/uuid.ts';

/** A committed offset with what was said of it; immutable. */
export interface OffsetAndMetadata {
  /** Offset of the record in `__consumer_offsets`, -1 before it is written. */
  readonly recordOffset: number;
  readonly committedOffset: number;
  /** -1 when the client gave none. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Wall clock, ms. */
  readonly commitTimestampMs: number;
  /** Wall clock, ms; -1 where the group's retention holds. */
  readonly expireTimestampMs: number;
  /** The zero uuid when the client named the topic only. */
  readonly topicId: Uuid;
}
