import type { Random } from '../src/base/random.ts';
import { BROKER_ADDRESS, DATA_DIRECTORY, type SimulatedNode } from './node.ts';
import { BREAKING, type DiskTrouble } from './scenario.ts';
import type { DiskFault } from './virtual/disk-faults.ts';
import type { VirtualInternet } from './virtual/network.ts';
import type { World } from './world.ts';

const DISK_TROUBLE_MS = [10, 40, 300] as const;
const NETWORK_TROUBLE_MS = 1_500;
const USUAL_LATENCY_MS = [0.05, 1.5] as const;
const SLOW_LATENCY_MS = [1, 400] as const;

const TOPICS = `${DATA_DIRECTORY}/topic-`;

/** What fails in which trouble; `full` is not a matter of faults. */
const FAULTS: Record<Exclude<DiskTrouble, 'full'>, readonly DiskFault[]> = {
  'no-room': [{ operation: 'append', pathPrefix: TOPICS, code: 'ENOSPC' }],
  quota: [{ operation: 'append', pathPrefix: TOPICS, code: 'EDQUOT', probability: 0.3 }],
  append: [{ operation: 'append', pathPrefix: TOPICS, probability: 0.5 }],
  flush: [{ operation: 'flush', pathPrefix: TOPICS, probability: 0.5, times: 1 }],
  cut: [
    { operation: 'append', pathPrefix: TOPICS, probability: 0.3 },
    { operation: 'cut', pathPrefix: TOPICS },
  ],
  files: [
    { operation: ['open', 'rename', 'remove', 'truncate', 'write'], pathPrefix: TOPICS, probability: 0.3 },
  ],
  'small-files': [{ operation: ['rename', 'flushDirectory'], pathPrefix: DATA_DIRECTORY, probability: 0.3 }],
  metadata: [
    {
      operation: ['append', 'flush'],
      pathPrefix: `${DATA_DIRECTORY}/__cluster_metadata`,
      probability: 0.5,
      times: 1,
    },
  ],
  reads: [{ operation: 'read', pathPrefix: TOPICS, probability: 0.3 }],
};

/** Makes the machine's disk fail for a while. @returns true when the broker may stay offline in part afterwards */
export function troubleDisk(
  world: World,
  node: SimulatedNode,
  kinds: readonly DiskTrouble[],
  random: Random,
): boolean {
  const { disk } = node;
  const kind = random.pick(kinds);
  const isBreaking = BREAKING.some((breaking) => breaking === kind);
  world.note(`disk trouble: ${kind}`);
  node.spoiled = true;
  const lifts: (() => void)[] = [];
  if (kind === 'full') {
    disk.capacityBytes = 0;
    lifts.push(() => {
      disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    });
  } else {
    for (const fault of FAULTS[kind]) lifts.push(disk.faults.add(fault));
  }
  const { clock } = world;
  clock.schedule(clock.monotonicMs() + random.below(random.pick(DISK_TROUBLE_MS)), () => {
    for (const lift of lifts) lift();
  });
  return isBreaking;
}

/** Cuts one host off, one way or both, or makes all ways slow, for a while. */
export function troubleNetwork(
  world: World,
  internet: VirtualInternet,
  hosts: readonly string[],
  random: Random,
): void {
  const { clock } = world;
  const endMs = clock.monotonicMs() + random.below(NETWORK_TROUBLE_MS);
  const kind = random.pick(['slow', 'mute', 'deaf', 'apart', 'reset'] as const);
  const { host: broker } = BROKER_ADDRESS;
  const host = hosts.length === 0 ? null : random.pick(hosts);
  world.note(`network trouble: ${kind} ${kind === 'slow' ? 'all' : host}`);
  if (kind === 'slow') {
    internet.latencyMs = SLOW_LATENCY_MS;
    clock.schedule(endMs, () => {
      internet.latencyMs = USUAL_LATENCY_MS;
    });
    return;
  }
  if (host === null) return;
  if (kind === 'reset') {
    internet.dropConnections(host, broker);
    return;
  }
  if (kind === 'mute') internet.block(host, broker, 'one-way');
  else if (kind === 'deaf') internet.block(broker, host, 'one-way');
  else internet.block(host, broker);
  clock.schedule(endMs, () => internet.heal(host, broker));
}

/** Nothing fails any more. */
export function liftTroubles(node: SimulatedNode, internet: VirtualInternet): void {
  node.disk.faults.clear();
  node.disk.faults.disarm();
  node.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
  internet.heal();
  internet.latencyMs = USUAL_LATENCY_MS;
}
