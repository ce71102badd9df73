import type { ErrorCode } from '../../base/errors.ts';
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts';
import type { OffsetAndMetadata } from './offsets/offset-and-metadata.ts';

/** Kinds of group, as ListGroups names them. */
export type GroupType = 'Classic' | 'Consumer' | 'Share' | 'Streams';

/** Who commits offsets. */
export interface Committer {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** Generation or member epoch; negative for a consumer outside of group management. */
  readonly generationIdOrMemberEpoch: number;
  readonly apiVersion: number;
  readonly transactional: boolean;
}

/**
 * What offsets and administration need of a group, whatever its kind. A kind of its own implements it, keeps its groups in `GroupState.groups`, and brings its records, operations
 * and timers along.
 */
export interface Group {
  readonly groupId: string;
  readonly type: GroupType;
  /** Of the protocol its members speak, empty for a simple group. */
  readonly protocolTypeText: string;
  /** State as clients are told it, such as `Stable`. */
  readonly stateText: string;
  /** True without members: it may be deleted. */
  readonly isEmpty: boolean;
  /** Why a commit is refused as a whole, or `NONE`. A commit that is not refused keeps the member's session, where the kind has it so. */
  commitRefusal(committer: Committer): ErrorCode;
  /** Why an OffsetFetch of a member is refused, or `NONE`. */
  fetchRefusal(memberId: string | null, memberEpoch: number): ErrorCode;
  /** Why offsets may not be deleted at all, or `NONE`. */
  offsetDeleteRefusal(): ErrorCode;
  /** Why the group may not be deleted, or `NONE`. */
  deleteRefusal(): ErrorCode;
  /** True if offsets of the topic are in use. */
  isSubscribedTo(topic: string): boolean;
  /** Since when an offset counts as unused, wall clock ms; null while none of the group's offsets expires. */
  unusedSinceMs(offset: OffsetAndMetadata): number | null;
  /** Adds the records that delete the group, and lets go of its timers. */
  delete(records: CoordinatorRecord[]): void;
}
