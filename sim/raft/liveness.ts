import { ErrorCode } from '../../src/base/errors.ts';
import { keyOf } from '../../src/raft/voter-set.ts';
import { Violation } from '../checkers/checker.ts';
import type { Cluster } from './cluster.ts';
import { FAIR } from './network.ts';
import type { SimProcess } from './node.ts';
import { hasDisk, isAlive } from './voters-in-use.ts';

/** Virtual time in which a healed cluster must have done each of the things it owes: thrice what the slowest of 1,500 seeds took, election after election included. */
const PATIENCE_MS = 30_000;
const MAX_EVENTS = 100_000;
/** Invariant of a run that does not come to rest. */
export const LIVENESS = 'a healed cluster elects, commits and catches up';

/** Ends all trouble for everybody but `down`, which are left dead. */
export function heal(cluster: Cluster, down: ReadonlySet<number> = new Set()): void {
  cluster.network.heal();
  cluster.trap = null;
  cluster.network.weather = FAIR;
  for (const node of cluster.nodes.values()) {
    const { member } = node;
    // What shuts down, or has stopped, is started anew.
    if (member !== null && (member.machine.failure !== null || member.isShuttingDown)) {
      cluster.crash(node.id, false);
    }
    node.speed.mend();
    node.clock.setRate(cluster.nowMs, 1);
    cluster.resume(node.id);
    if (down.has(node.id)) cluster.crash(node.id, false);
    else cluster.start(node.id);
  }
}

/** Voters that may stay dead: the others are a majority without them. Empty where nobody can be spared. */
export function drawMinority(cluster: Cluster): ReadonlySet<number> {
  const dead = new Set<number>();
  for (const id of cluster.nodes.keys()) {
    if (cluster.random.chance(0.5) && isAlive(cluster, new Set([...dead, id]))) dead.add(id);
  }
  return dead;
}

/**
 * With all that lives healed: a leader, a new entry committed and known to all, and nothing of the voters stuck.
 * @returns false when it need not: a majority of the voters has lost its disks, one of them on the way to be one
 */
export function mustComeToRest(cluster: Cluster): boolean {
  if (!isAlive(cluster)) return false;
  try {
    comeToRest(cluster);
    return true;
  } catch (error) {
    // A change of the voters that was under way may have made those that are dead the ones that are needed.
    const dead = [...cluster.nodes.values()].filter(({ member }) => member === null).map(({ id }) => id);
    if (!isAlive(cluster, new Set(dead))) return false;
    throw error;
  }
}

function comeToRest(cluster: Cluster): void {
  mustHappen(
    cluster,
    'no leader is elected',
    () => cluster.leader !== null && settledLeader(cluster) !== null,
  );
  commitEverywhere(cluster);
  if (cluster.committed.at(cluster.committed.endOffset)?.facts.kraftVersion === 1) {
    changeVoters(cluster);
    commitEverywhere(cluster);
  }
}

function commitEverywhere(cluster: Cluster): void {
  let wanted = Infinity;
  let writer: SimProcess | null = null;
  mustHappen(cluster, 'nothing new is committed, or not everybody catches up', () => {
    const leader = settledLeader(cluster);
    if (leader === null) return false;
    if (wanted === Infinity || writer !== leader) {
      writer = leader;
      cluster.act(leader, () => {
        if (leader.isLeading) leader.append(1);
      });
      wanted = leader.machine.logEndOffset;
    }
    return cluster.processes.every(
      (member) => member.machine.highWatermark >= wanted && member.publishedOffset >= wanted,
    );
  });
}

/** An operator has the voters be as they should: those with a lost disk go, and one more changes. */
function changeVoters(cluster: Cluster): void {
  const target = chooseChange(cluster);
  if (target === null) return;
  let isUnderWay = false;
  let isDone = false;
  mustHappen(cluster, `a change of the voters stays stuck: ${target.what}`, () => {
    if (isDone) return true;
    const leader = settledLeader(cluster);
    if (leader === null || isUnderWay) return false;
    isUnderWay = true;
    cluster.schedule(300, () => {
      if (leader.node.member !== leader) {
        isUnderWay = false;
        return;
      }
      cluster.ask(leader, target.apiKey, target.body, (answer) => {
        isUnderWay = false;
        const { errorCode } = answer as { readonly errorCode: ErrorCode };
        isDone = errorCode === ErrorCode.NONE || errorCode === target.done;
      });
    });
    return false;
  });
}

interface Change {
  readonly what: string;
  readonly apiKey: 80 | 81;
  readonly body: object;
  /** Answer of a leader where it is done already. */
  readonly done: ErrorCode;
}

function chooseChange(cluster: Cluster): Change | null {
  const leader = settledLeader(cluster);
  const voters = leader?.machine.voters ?? null;
  if (voters === null) return null;
  const gone = voters.voters.find(
    (voter) => !hasDisk(cluster, voter) || cluster.nodes.get(voter.voterId)?.member === null,
  );
  if (gone !== undefined && voters.size > 1) {
    const { id: voterId, directoryId: voterDirectoryId } = keyOf(gone);
    const body = { clusterId: null, voterId, voterDirectoryId };
    return { what: `removing ${voterId}`, apiKey: 81, body, done: ErrorCode.VOTER_NOT_FOUND };
  }
  const spare = cluster.processes.find(({ id }) => cluster.canBecomeVoter(id) && voters.get(id) === null);
  if (spare === undefined) return null;
  const { voterDirectoryId, endpoints: listeners } = cluster.voterNow(spare.id);
  const body = {
    clusterId: null,
    voterId: spare.id,
    voterDirectoryId,
    listeners,
    timeoutMs: 1000,
    ackWhenCommitted: true,
  };
  return { what: `adding ${spare.id}`, apiKey: 80, body, done: ErrorCode.DUPLICATE_VOTER };
}

/** The leader, if its epoch has begun to commit. */
function settledLeader(cluster: Cluster): SimProcess | null {
  const { leader } = cluster;
  if (
    leader === null ||
    leader.machine.epoch < Math.max(...cluster.processes.map(({ machine }) => machine.epoch))
  ) {
    return null;
  }
  return leader.machine.highWatermark > 0 ? leader : null;
}

function mustHappen(cluster: Cluster, complaint: string, isDone: () => boolean): void {
  const untilMs = cluster.nowMs + PATIENCE_MS;
  for (let i = 0; !isDone(); i++) {
    const isOver = cluster.nowMs > untilMs || i > MAX_EVENTS;
    if (isOver || !cluster.step()) throw new Violation(LIVENESS, complaint);
  }
}
