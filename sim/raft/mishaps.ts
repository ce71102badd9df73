import type { Random } from '../../src/base/random.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { keyOf, VoterSet } from '../../src/raft/voter-set.ts';
import type { Cluster } from './cluster.ts';
import type { SimNode, SimProcess } from './node.ts';
import { sendNonsense } from './nonsense.ts';
import { isExpendable, isRemovable } from './voters-in-use.ts';

type Act = (cluster: Cluster, random: Random) => void;

/** What may happen to a cluster, by name. Each draws what it needs from `random` only. */
export const MISHAPS = {
  // The network.
  cut: (cluster, random) => cluster.network.isolate(anyId(cluster, random), cluster.nodes.keys()),
  'cut-leader': (cluster, random) => {
    const id = cluster.leader?.id ?? anyId(cluster, random);
    cluster.network.isolate(id, cluster.nodes.keys());
  },
  'cut-one-way': (cluster, random) => {
    const id = random.chance(0.5) ? (cluster.leader?.id ?? 1) : anyId(cluster, random);
    const isDeaf = random.chance(0.5);
    for (const other of cluster.nodes.keys()) {
      if (random.chance(0.8)) cluster.network.cut(isDeaf ? other : id, isDeaf ? id : other);
    }
  },
  'cut-link': (cluster, random) => {
    const [a, b] = [anyId(cluster, random), anyId(cluster, random)];
    cluster.network.cut(a, b);
    if (random.chance(0.5)) cluster.network.cut(b, a);
  },
  split: (cluster, random) => {
    const side = new Set([...cluster.nodes.keys()].filter(() => random.chance(0.5)));
    for (const a of cluster.nodes.keys()) {
      for (const b of cluster.nodes.keys()) if (side.has(a) !== side.has(b)) cluster.network.cut(a, b);
    }
  },
  'slow-link': (cluster, random) => {
    const id = anyId(cluster, random);
    const byMs = random.between(20, 1500);
    for (const other of cluster.nodes.keys()) cluster.network.slow(id, other, byMs);
  },
  'heal-network': (cluster) => cluster.network.heal(),
  // Processes.
  crash: (cluster, random) => cluster.crash(anyId(cluster, random), false),
  'crash-leader': (cluster, random) => cluster.crash(leaderOrAny(cluster, random), false),
  power: (cluster, random) => cluster.crash(anyId(cluster, random), true),
  'power-leader': (cluster, random) => cluster.crash(leaderOrAny(cluster, random), true),
  'power-everywhere': (cluster, random) => {
    for (const id of cluster.nodes.keys()) if (random.chance(0.8)) cluster.crash(id, true);
  },
  /** Loses power, and is back at once. */
  blink: (cluster, random) => {
    const id = anyId(cluster, random);
    cluster.crash(id, true);
    cluster.start(id);
  },
  /** The next node that stands for election loses power meanwhile. */
  'trap-candidate': (cluster, random) => {
    cluster.trap = { role: 'candidate', delayMs: random.below(60) };
  },
  /** The next leader loses power soon after it was elected. */
  'trap-leader': (cluster, random) => {
    cluster.trap = { role: 'leader', delayMs: random.below(100) };
  },
  start: (cluster, random) => {
    for (const id of cluster.nodes.keys()) if (random.chance(0.6)) cluster.start(id);
  },
  pause: (cluster, random) => cluster.pause(anyId(cluster, random)),
  'pause-leader': (cluster, random) => cluster.pause(leaderOrAny(cluster, random)),
  resume: (cluster) => {
    for (const id of cluster.nodes.keys()) cluster.resume(id);
  },
  resign: (cluster) =>
    onLeader(cluster, (leader) => leader.on((machine, nowMs) => machine.resign(machine.epoch, nowMs))),
  shutdown: (cluster, random) => {
    const member = cluster.nodes.get(leaderOrAny(cluster, random))?.member ?? null;
    if (member === null) return;
    member.isShuttingDown = true;
    cluster.act(member, () => member.on((machine, nowMs) => machine.shutdown(nowMs)));
    cluster.later(member, random.between(100, 2500), () => cluster.crash(member.id, false));
  },
  // Clocks.
  skew: (cluster, random) =>
    anyNode(cluster, random).clock.setRate(cluster.nowMs, 0.3 + random.below(30) / 10),
  jump: (cluster, random) => anyNode(cluster, random).clock.jump(random.below(5000)),
  // Disks.
  'slow-disk': (cluster, random) => {
    anyNode(cluster, random).speed.slowness = random.pick([5, 30, 150]);
  },
  'slow-log': (cluster, random) => {
    anyNode(cluster, random).speed.logSlowness = random.pick([50, 300, 1000]);
  },
  'failing-disk': (cluster, random) => {
    anyNode(cluster, random).speed.failChance = 0.1;
  },
  'mend-disks': (cluster) => {
    for (const { speed } of cluster.nodes.values()) speed.mend();
  },
  'lose-disk': (cluster, random) => {
    const id = anyId(cluster, random);
    if (!isExpendable(cluster, id)) return;
    cluster.crash(id, true);
    cluster.loseDisk(id);
    if (random.chance(0.7)) cluster.start(id);
  },
  /** A confused peer. */
  nonsense: (cluster, random) => {
    const member = anyNode(cluster, random).member;
    if (member !== null) sendNonsense(cluster, member, random);
  },
  // The log.
  snapshot: (cluster, random) => onAny(cluster, random, (member) => void member.beginSnapshot()),
  'drop-start': (cluster, random) => onAny(cluster, random, (member) => void member.dropStart()),
  burst: (cluster, random) => {
    const count = random.between(3, 12);
    for (const member of cluster.processes) {
      if (member.isLeading) cluster.act(member, () => appendMany(member, count));
    }
  },
  // Voters.
  'add-voter': (cluster, random) => addVoter(cluster, random),
  'remove-voter': (cluster, random) => removeVoter(cluster, random),
  'change-voters': (cluster, random) => {
    addVoter(cluster, random);
    removeVoter(cluster, random);
    if (random.chance(0.5)) removeVoter(cluster, random);
  },
  'remove-leader': (cluster, random) => {
    if (cluster.leader !== null) removeVoter(cluster, random, cluster.leader.id);
  },
  'move-listener': (cluster, random) => {
    const id = anyId(cluster, random);
    cluster.moveListener(id);
    cluster.crash(id, false);
    cluster.start(id);
  },
  upgrade: (cluster) =>
    onLeader(cluster, (leader) =>
      leader.on((machine, nowMs) => machine.upgradeKraftVersion(1, false, nowMs)),
    ),
} as const satisfies Readonly<Record<string, Act>>;

/** Name of something that may happen. */
export type MishapName = keyof typeof MISHAPS;

/** True if it is one. */
export function isMishap(name: string): name is MishapName {
  return name in MISHAPS;
}

function anyId(cluster: Cluster, random: Random): number {
  return random.between(1, cluster.nodes.size);
}

function anyNode(cluster: Cluster, random: Random): SimNode {
  return cluster.nodes.get(anyId(cluster, random)) as SimNode;
}

function leaderOrAny(cluster: Cluster, random: Random): number {
  return cluster.leader?.id ?? anyId(cluster, random);
}

function onAny(cluster: Cluster, random: Random, event: (member: SimProcess) => void): void {
  const member = cluster.nodes.get(anyId(cluster, random))?.member ?? null;
  if (member !== null) cluster.act(member, () => event(member));
}

function onLeader(cluster: Cluster, event: (member: SimProcess) => void): void {
  const { leader } = cluster;
  if (leader !== null) {
    cluster.act(leader, () => {
      if (leader.isLeading) event(leader);
    });
  }
}

function appendMany(member: SimProcess, count: number): void {
  for (let i = 0; i < count && member.isLeading; i++) member.append(1);
}

function addVoter(cluster: Cluster, random: Random): void {
  const { leader } = cluster;
  const id = anyId(cluster, random);
  if (leader === null || !cluster.canBecomeVoter(id)) return;
  const voter = cluster.voterNow(id);
  cluster.note(leader.id, `is asked to add voter ${id}`);
  cluster.ask(
    leader,
    80,
    {
      clusterId: null,
      voterId: id,
      voterDirectoryId: voter.voterDirectoryId,
      timeoutMs: 1000,
      listeners: voter.endpoints,
      ackWhenCommitted: random.chance(0.5),
    },
    () => undefined,
  );
}

function removeVoter(cluster: Cluster, random: Random, chosen?: number): void {
  const { leader } = cluster;
  const voters = leader?.machine.voters?.voters ?? [];
  if (leader === null || leader.node.isPaused || voters.length <= (random.chance(0.1) ? 1 : 2)) return;
  const voter = voters.find(({ voterId }) => voterId === chosen) ?? random.pick(voters);
  const key = keyOf(voter);
  // No operator would leave the quorum without a majority that has its disks.
  if (key.directoryId === ZERO_UUID || !isRemovable(cluster, new VoterSet(voters), key.id)) return;
  cluster.note(leader.id, `is asked to remove voter ${key.id}`);
  const body = { clusterId: null, voterId: key.id, voterDirectoryId: key.directoryId };
  cluster.ask(leader, 81, body, () => undefined);
}
