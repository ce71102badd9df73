import { type Uuid } from '../base/uuid.ts';
import { directoryOf, sameList } from '../metadata/partition-registration.ts';
import {
  NO_LEADER,
  NO_LEADER_CHANGE,
  type PartitionRegistration,
  RECOVERING,
} from '../metadata/partition-registration.ts';
import { type MetadataRecordOf, metadataRecord } from '../metadata/metadata-record.ts';
import {
  type MetadataVersion,
  needsEpochBumpOnIsrShrink,
  partitionRecordVersion,
} from '../metadata/metadata-version.ts';

/** What is wanted of a partition; what is left out stays. */
export interface PartitionTarget {
  /** In-sync replicas; the builder may still shrink them to an elected leader. */
  readonly isr?: readonly number[];
  /** Replicas that came back without what they had acknowledged: they are no eligible leaders any more. */
  readonly uncleanShutdown?: readonly number[];
  readonly leaderRecoveryState?: number;
  /** New directories of replicas by broker id. */
  readonly directories?: ReadonlyMap<number, Uuid>;
}

/** What decides over a partition besides its own state. */
export interface PartitionRules {
  readonly metadataVersion: MetadataVersion;
  /** Eligible leader replicas are kept (the feature is on). */
  readonly elrEnabled: boolean;
  /** The topic's `min.insync.replicas`, at most its number of replicas. */
  readonly minIsr: number;
  /** The topic's `unclean.leader.election.enable`. */
  readonly uncleanElection: boolean;
  /** True for a broker that may lead this partition: unfenced, not shutting down, its directory online. */
  readonly mayLead: (brokerId: number) => boolean;
}

type ChangeRecord = MetadataRecordOf<'PartitionChangeRecord'>;
type ChangeValue = { -readonly [K in keyof ChangeRecord['value']]: ChangeRecord['value'][K] };

/**
 * The record that brings a partition to the target, electing a leader where it has none that may lead; null when nothing changes.
 *
 * With eligible leader replicas (KIP-966) an ISR may become empty: who leaves an ISR that is below `min.insync.replicas` stays eligible,
 * for nothing was acknowledged that it does not have. Election order: the present leader if it may go on; the first replica in the ISR (or,
 * if that is empty, eligible) that may lead; the last known leader when it alone may have everything (its log is then taken as it is, state
 * RECOVERING); any replica that may lead, where the topic allows unclean election.
 */
export function changePartition(
  topicId: Uuid,
  partitionId: number,
  partition: PartitionRegistration,
  target: PartitionTarget,
  rules: PartitionRules,
): ChangeRecord | null {
  const change: ChangeValue = { ...noChange(), topicId, partitionId };
  let isr = target.isr ?? partition.isr;
  let elr = rules.elrEnabled ? targetElr(partition, isr, target.uncleanShutdown ?? [], rules.minIsr) : [];

  const elected = electLeader(partition, isr, elr, rules);
  if (elected.leader !== partition.leader) {
    change.leader = elected.leader;
    if (elected.unclean) {
      isr = [elected.leader];
      elr = [];
      if (partition.leaderRecoveryState !== RECOVERING) change.leaderRecoveryState = RECOVERING;
    } else if (elr.includes(elected.leader)) {
      isr = [elected.leader];
      elr = elr.filter((replica) => replica !== elected.leader);
    }
  }
  if (!sameList(elr, partition.elr)) change.eligibleLeaderReplicas = [...elr];
  if (!sameList(isr, partition.isr) && (isr.length > 0 || rules.elrEnabled)) change.isr = [...isr];
  if (
    needsEpochBumpOnIsrShrink(rules.metadataVersion) &&
    change.isr !== null &&
    change.leader === NO_LEADER_CHANGE &&
    partition.isr.some((replica) => !isr.includes(replica))
  ) {
    change.leader = partition.leader;
  }
  updateLastKnownLeader(change, partition, rules.elrEnabled);
  if (
    target.leaderRecoveryState !== undefined &&
    target.leaderRecoveryState !== partition.leaderRecoveryState
  ) {
    change.leaderRecoveryState = target.leaderRecoveryState;
  }
  const directories = partition.replicas.map(
    (replica) => target.directories?.get(replica) ?? directoryOf(partition, replica),
  );
  if (!sameList(directories, partition.directories)) change.directories = directories;
  if (isNoChange(change)) return null;
  return metadataRecord('PartitionChangeRecord', change, partitionRecordVersion(rules.metadataVersion));
}

/** Who stays eligible outside the ISR: nobody while the ISR is large enough, else also those who just left it, but for unclean ones. */
function targetElr(
  partition: PartitionRegistration,
  isr: readonly number[],
  unclean: readonly number[],
  minIsr: number,
): readonly number[] {
  if (isr.length >= minIsr) return [];
  const candidates = [
    ...partition.elr,
    ...partition.isr.filter((replica) => !partition.elr.includes(replica)),
  ];
  return candidates.filter((replica) => !isr.includes(replica) && !unclean.includes(replica));
}

function electLeader(
  partition: PartitionRegistration,
  isr: readonly number[],
  elr: readonly number[],
  rules: PartitionRules,
): { leader: number; unclean: boolean } {
  const isGood = (replica: number) =>
    (isr.length > 0 ? isr.includes(replica) : elr.includes(replica)) && rules.mayLead(replica);
  if (isGood(partition.leader)) return { leader: partition.leader, unclean: false };
  const clean = partition.replicas.find(isGood);
  if (clean !== undefined) return { leader: clean, unclean: false };
  const [lastKnown] = partition.lastKnownElr;
  if (
    rules.elrEnabled &&
    isr.length === 0 &&
    elr.length === 0 &&
    partition.lastKnownElr.length === 1 &&
    rules.mayLead(lastKnown as number)
  ) {
    return { leader: lastKnown as number, unclean: true };
  }
  const any = rules.uncleanElection ? partition.replicas.find(rules.mayLead) : undefined;
  return any === undefined ? { leader: NO_LEADER, unclean: false } : { leader: any, unclean: true };
}

/** Remembers the leader when the partition loses it with its whole ISR, and forgets it once there is one again. */
function updateLastKnownLeader(
  change: ChangeValue,
  partition: PartitionRegistration,
  elrEnabled: boolean,
): void {
  if (!elrEnabled) {
    if (partition.lastKnownElr.length > 0) change.lastKnownElr = [];
    return;
  }
  const leader = change.leader === NO_LEADER_CHANGE ? partition.leader : change.leader;
  if (change.isr !== null && change.isr.length === 0 && partition.leader !== NO_LEADER) {
    if (!sameList(partition.lastKnownElr, [partition.leader])) change.lastKnownElr = [partition.leader];
  } else if (leader !== NO_LEADER && partition.lastKnownElr.length > 0) {
    change.lastKnownElr = [];
  }
}

function noChange(): Omit<ChangeValue, 'topicId' | 'partitionId'> {
  return {
    isr: null,
    leader: NO_LEADER_CHANGE,
    replicas: null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: -1,
    directories: null,
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  };
}

function isNoChange(change: ChangeValue): boolean {
  return (
    change.isr === null &&
    change.leader === NO_LEADER_CHANGE &&
    change.replicas === null &&
    change.removingReplicas === null &&
    change.addingReplicas === null &&
    change.leaderRecoveryState === -1 &&
    change.directories === null &&
    change.eligibleLeaderReplicas === null &&
    change.lastKnownElr === null
  );
}
