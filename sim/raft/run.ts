import { Random } from '../../src/base/random.ts';
import { Trace } from '../trace.ts';
import { Cluster } from './cluster.ts';
import { drawMinority, heal, mustComeToRest } from './liveness.ts';
import type { SimNode } from './node.ts';
import { MISHAPS, type MishapName } from './mishaps.ts';
import { FAIR } from './network.ts';
import { planRaftScenario, RAFT_SCENARIOS, type RaftScenario, type RaftScenarioName } from './scenario.ts';

/** Events of a run before everything heals, where nothing else is said. */
export const DEFAULT_EVENTS = 2_000;
/** Virtual time after which a run that has hardly any events is healed all the same. */
const MAX_VIRTUAL_MS = 600_000;

/** Which run. */
export interface RaftRun {
  readonly seed: number;
  /** The seed picks one where none is given. */
  readonly scenario?: RaftScenarioName | undefined;
  /** Voters at first. */
  readonly nodes?: number | undefined;
  readonly events?: number | undefined;
  /** What is left out of the scenario: mishaps by name, and `weather`. */
  readonly without?: readonly string[] | undefined;
  /** Gets every line of the trace. */
  readonly print?: ((line: string) => void) | undefined;
}

/** What came of it. */
export interface RaftResult {
  readonly seed: number;
  readonly scenario: RaftScenario;
  readonly events: number;
  readonly virtualMs: number;
  /** Offsets that were committed. */
  readonly committed: number;
  readonly epochs: number;
  /** Two runs of a seed must agree in it. */
  readonly hash: string;
  readonly failure: Error | null;
  /** A majority had lost its disks: nothing could be asked of the cluster in the end. */
  readonly isStranded: boolean;
  readonly lastLines: readonly string[];
}

/** Runs one seed: trouble for so many events, then peace, in which everything must come right. */
export function simulateRaft(run: RaftRun): RaftResult {
  const random = new Random(run.seed, 99);
  // Drawn in any case: a seed goes the same way when its scenario is named.
  const drawn = random.pick(RAFT_SCENARIOS);
  const name = run.scenario ?? drawn;
  const scenario = planRaftScenario(name, random.fork(), run.nodes);
  const trace = new Trace(run.print);
  const cluster = new Cluster(run.seed, scenario.cluster, trace);
  let failure: Error | null = null;
  let isStranded = false;
  try {
    isStranded = !live(cluster, scenario, run, random);
  } catch (error) {
    failure = error as Error;
  }
  if (failure !== null) for (const node of cluster.nodes.values()) cluster.note(node.id, describeNode(node));
  return {
    seed: run.seed,
    scenario,
    events: cluster.events,
    virtualMs: cluster.nowMs,
    committed: cluster.committed.endOffset,
    epochs: Math.max(0, ...cluster.processes.map(({ machine }) => machine.epoch)),
    hash: trace.hash,
    failure,
    isStranded,
    lastLines: trace.last(200),
  };
}

/** A node's state, as the end of a failing run's trace shows it. */
function describeNode({ member, isPaused, disk }: SimNode): string {
  if (member === null) return 'is down';
  const { machine, view } = member;
  const role = `${machine.role}${isPaused ? ', paused,' : ''} in epoch ${machine.epoch} of ${machine.leaderId}`;
  const log = `log ${view.startOffset}..${view.endOffset}, committed ${machine.highWatermark}`;
  return `is ${role}; ${log}; directory ${disk.directoryId}; voters ${machine.voters?.toString()}`;
}

/** @returns false when the cluster could not be asked to come to rest */
function live(cluster: Cluster, scenario: RaftScenario, run: RaftRun, random: Random): boolean {
  const without = new Set(run.without);
  const troubles = { isOn: true };
  cluster.network.weather = without.has('weather') ? FAIR : scenario.weather;
  scheduleMishaps(cluster, scenario, { random: random.fork(), without, troubles });
  scheduleAppends(cluster, scenario, random.fork(), troubles);
  const { events = DEFAULT_EVENTS } = run;
  while (cluster.events < events && cluster.nowMs < MAX_VIRTUAL_MS && cluster.step());
  troubles.isOn = false;
  if (random.chance(0.5)) {
    cluster.note(0, 'a majority is healed');
    const minority = drawMinority(cluster);
    heal(cluster, minority);
    mustComeToRest(cluster);
  }
  cluster.note(0, 'everything is healed');
  heal(cluster);
  return mustComeToRest(cluster);
}

interface Troubles {
  readonly random: Random;
  readonly without: ReadonlySet<string>;
  readonly troubles: { readonly isOn: boolean };
}

function scheduleMishaps(cluster: Cluster, scenario: RaftScenario, given: Troubles): void {
  const { random, without, troubles } = given;
  const entries = Object.entries(scenario.mishaps) as [MishapName, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  const next = (): void => {
    cluster.schedule(1 + random.below(2 * scenario.mishapEveryMs), () => {
      if (!troubles.isOn) return;
      let roll = random.below(total);
      const drawn = entries.find(([, weight]) => (roll -= weight) < 0);
      const own = random.fork();
      if (drawn !== undefined && !without.has(drawn[0])) {
        cluster.events++;
        cluster.note(0, drawn[0]);
        MISHAPS[drawn[0]](cluster, own);
      }
      next();
    });
  };
  next();
}

function scheduleAppends(
  cluster: Cluster,
  scenario: RaftScenario,
  random: Random,
  troubles: Troubles['troubles'],
): void {
  const next = (): void => {
    cluster.schedule(1 + random.below(2 * scenario.appendEveryMs), () => {
      if (!troubles.isOn) return;
      const count = random.between(1, 3);
      // Whoever takes itself for a leader appends: also one that is none any more.
      for (const member of cluster.processes) {
        if (member.isLeading) {
          cluster.act(member, () => {
            if (member.isLeading) member.append(count);
          });
        }
      }
      next();
    });
  };
  next();
}
