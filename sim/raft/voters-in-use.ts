import { ZERO_UUID } from '../../src/base/uuid.ts';
import { type Voter, VoterSet } from '../../src/raft/voter-set.ts';
import type { Batch } from './batch.ts';
import type { Cluster } from './cluster.ts';

/**
 * True if the node may lose its disk without anybody having to mourn for data: in every set of voters that any node may still go by, a majority has its disks. With
 * kraft.version 0 a voter is known by its id alone, and nobody may lose a disk.
 */
export function isExpendable(cluster: Cluster, id: number): boolean {
  if (!cluster.canBecomeVoter(id)) return true;
  const sets = allVoters(cluster);
  const isNamed = sets.some(({ voters }) => voters.some((voter) => voter.voterDirectoryId === ZERO_UUID));
  if (isNamed) return false;
  return sets.every((voters) =>
    hasMajority(voters, (voter) => voter.voterId !== id && hasDisk(cluster, voter)),
  );
}

/** True if the voters can go on without one of them. */
export function isRemovable(cluster: Cluster, voters: VoterSet, id: number): boolean {
  const rest = new VoterSet(voters.voters.filter(({ voterId }) => voterId !== id));
  return hasMajority(rest, (voter) => hasDisk(cluster, voter));
}

/** True if the nodes that run, but these, can elect and commit, whichever of the latest voter sets comes to hold. */
export function isAlive(cluster: Cluster, without: ReadonlySet<number> = new Set()): boolean {
  const lives = (voter: Voter): boolean => !without.has(voter.voterId) && hasDisk(cluster, voter);
  return latestVoters(cluster).every((voters) => hasMajority(voters, lives));
}

/** True if the node still has the disk that the voter was known by. */
export function hasDisk(cluster: Cluster, { voterId, voterDirectoryId }: Voter): boolean {
  const directoryId = cluster.nodes.get(voterId)?.disk.directoryId;
  return voterDirectoryId === ZERO_UUID || voterDirectoryId === directoryId;
}

function hasMajority(voters: VoterSet, holds: (voter: Voter) => boolean): boolean {
  if (voters.size === 0) return true;
  return voters.voters.filter(holds).length >= voters.majority;
}

/** Those that are committed last, and all that are appended anywhere since. */
function latestVoters(cluster: Cluster): readonly VoterSet[] {
  const { committed } = cluster;
  const facts = committed.at(committed.endOffset)?.facts;
  const first = facts?.voters ?? cluster.configuredVoters;
  return [first, ...loggedVoters(cluster, committed.endOffset)];
}

/** All sets of voters that stand in a log or a snapshot anywhere, or are configured. */
function allVoters(cluster: Cluster): readonly VoterSet[] {
  const sets: VoterSet[] = [cluster.configuredVoters, ...loggedVoters(cluster, 0)];
  for (const { disk, member } of cluster.nodes.values()) {
    const snapshot = disk.latestSnapshot;
    if (snapshot !== null && snapshot.facts.voters !== null) sets.push(snapshot.facts.voters);
    if (member !== null && member.machine.voters !== null) sets.push(member.machine.voters);
  }
  return sets;
}

function loggedVoters(cluster: Cluster, fromOffset: number): readonly VoterSet[] {
  const batches = new Set<Batch>();
  for (const { disk, member } of cluster.nodes.values()) {
    for (const log of [disk.written, member?.view]) {
      for (const batch of log?.batches.slice(log.indexAfter(fromOffset)) ?? []) {
        if (batch.controlRecords.length > 0) batches.add(batch);
      }
    }
  }
  return [...batches].flatMap(({ controlRecords }) =>
    controlRecords.flatMap(({ record }) =>
      record.type === 'KRAFT_VOTERS' ? [new VoterSet(record.voters)] : [],
    ),
  );
}
