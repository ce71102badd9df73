import type { Random } from '../base/random.ts';
import { ELR_FEATURE } from '../metadata/supported-features.ts';
import { isOnlineDirectory } from '../metadata/directory-id.ts';
import { hasDirectoryAssignment } from '../metadata/metadata-version.ts';
import { type PartitionRegistration, directoryOf } from '../metadata/partition-registration.ts';
import type { BrokerHeartbeats } from './broker-heartbeats.ts';
import type { ConfigRules } from './config-rules.ts';
import type { ControllerState } from './controller-state.ts';
import type { PartitionRules } from './partition-change.ts';

/** What every kind of request works on. Requests read the state; only replaying their records changes it. */
export interface ControllerContext {
  readonly clusterId: string;
  readonly state: ControllerState;
  readonly configRules: ConfigRules;
  readonly heartbeats: BrokerHeartbeats;
  readonly random: Random;
}

/** A broker that can lead and be given new replicas: registered, not fenced, not shutting down. */
export function isActive(context: ControllerContext, brokerId: number): boolean {
  const broker = context.state.image.cluster.broker(brokerId);
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

/** True if a replica's directory on its broker is online. */
export function isDirectoryOnline(
  context: ControllerContext,
  partition: PartitionRegistration,
  brokerId: number,
): boolean {
  const { image } = context.state;
  if (!hasDirectoryAssignment(image.features.metadataVersion)) return true;
  const logDirs = image.cluster.broker(brokerId)?.logDirs ?? [];
  return isOnlineDirectory(directoryOf(partition, brokerId), logDirs);
}

/** The rules for a partition of the named topic; `mayLead` as given. */
export function partitionRules(
  context: ControllerContext,
  topic: string,
  partition: PartitionRegistration,
  mayLead: (brokerId: number) => boolean,
): PartitionRules {
  const { features, configs } = context.state.image;
  const minIsr = context.configRules.topicNumber(configs, topic, 'min.insync.replicas');
  return {
    metadataVersion: features.metadataVersion,
    elrEnabled: features.level(ELR_FEATURE) > 0,
    minIsr: Math.min(minIsr, partition.replicas.length),
    uncleanElection: context.configRules.topicBoolean(configs, topic, 'unclean.leader.election.enable'),
    mayLead,
  };
}
