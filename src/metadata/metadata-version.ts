/** A level of the feature `metadata.version`: 7 (3.3-IV3) to 29 (4.2-IV1). See formats §31. */
export type MetadataVersion = number;

/** Name of the feature that chooses the form of metadata records. */
export const METADATA_VERSION_FEATURE = 'metadata.version';
/** Lowest level this version can run with; also what a log without a FeatureLevelRecord counts as. */
export const MINIMUM_METADATA_VERSION: MetadataVersion = 7;
/** Level of Kafka 4.2: the highest understood, and the one a new cluster gets. */
export const LATEST_METADATA_VERSION: MetadataVersion = 29;

/** Version at which RegisterBrokerRecord is written. */
export function registerBrokerRecordVersion(level: MetadataVersion): number {
  if (hasDirectoryAssignment(level)) return 3;
  return level >= 8 ? 2 : 1;
}

/** Version at which PartitionRecord and PartitionChangeRecord are written. */
export function partitionRecordVersion(level: MetadataVersion): number {
  if (hasEligibleLeaderReplicas(level)) return 2;
  return hasDirectoryAssignment(level) ? 1 : 0;
}

/** Replicas name their directories (KIP-858). */
export function hasDirectoryAssignment(level: MetadataVersion): boolean {
  return level >= 17;
}

/** Partitions keep eligible leader replicas (KIP-966). */
export function hasEligibleLeaderReplicas(level: MetadataVersion): boolean {
  return level >= 23;
}

/** Controllers register themselves. */
export function hasControllerRegistration(level: MetadataVersion): boolean {
  return level >= 15;
}

/** SCRAM credentials can be kept. */
export function hasScram(level: MetadataVersion): boolean {
  return level >= 11;
}

/** Several batches can be made to count at once. */
export function hasTransactions(level: MetadataVersion): boolean {
  return level >= 13;
}

/** Delegation tokens can be kept. */
export function hasDelegationTokens(level: MetadataVersion): boolean {
  return level >= 14;
}

/** A smaller ISR must begin a new leader epoch, because followers of that age do not notice it otherwise. */
export function needsEpochBumpOnIsrShrink(level: MetadataVersion): boolean {
  return level < 12;
}
