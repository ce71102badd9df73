/** Settings of a group coordinator, as plain data. */
export interface GroupConfig {
  /** `offset.metadata.max.bytes`; Kafka counts UTF-16 units. */
  readonly offsetMetadataMaxLength: number;
  /** `offsets.retention.minutes`. */
  readonly offsetsRetentionMs: number;
  /** `offsets.retention.check.interval.ms`. */
  readonly offsetsRetentionCheckIntervalMs: number;
  /** `group.min.session.timeout.ms` and `group.max.session.timeout.ms`, both inclusive. */
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** `group.max.size`: members of a classic group. */
  readonly maxGroupSize: number;
  /** `group.initial.rebalance.delay.ms`. */
  readonly initialRebalanceDelayMs: number;
}

/** A new member whose JoinGroup is parked may be gone: after this long it has to ask again. Kafka has no config for it. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

/** Bounds that Kafka leaves to the operator, so that no client can fill the memory. */
export const GROUP_LIMITS = {
  /** Groups on one partition of `__consumer_offsets`. */
  groupsPerShard: 200_000,
  /** Members that were given an id and have not joined with it yet. */
  pendingMembers: 10_000,
  /** Members of a group, whatever `group.max.size` says. */
  members: 100_000,
  /** Bytes of one member's protocols: a group must fit a record. */
  memberMetadataBytes: 1 << 20,
} as const;
