import type { Random } from '../../src/base/random.ts';
import type { ClusterPlan } from './cluster.ts';
import type { MishapName } from './mishaps.ts';
import { FAIR, type NetworkWeather } from './network.ts';

/** Everything about a run that is decided before it starts. */
export interface RaftScenario {
  readonly name: RaftScenarioName;
  readonly cluster: ClusterPlan;
  readonly weather: NetworkWeather;
  /** Weights. */
  readonly mishaps: Readonly<Partial<Record<MishapName, number>>>;
  /** Means, virtual ms. */
  readonly mishapEveryMs: number;
  readonly appendEveryMs: number;
}

type Weights = Readonly<Partial<Record<MishapName, number>>>;

interface Recipe {
  readonly mishaps: Weights;
  readonly weather?: NetworkWeather;
  readonly mishapEveryMs?: number;
  readonly appendEveryMs?: number;
  /** Kind of voters; by lot where it does not matter. */
  readonly kraftVersion?: 0 | 1;
  readonly autoJoin?: boolean;
}

const BAD: NetworkWeather = { dropChance: 0.08, duplicateChance: 0.05, lateChance: 0.05, lateMs: 1500 };
const POOR: NetworkWeather = { dropChance: 0.02, duplicateChance: 0.02, lateChance: 0.03, lateMs: 600 };

const LOG: Weights = { snapshot: 3, 'drop-start': 2, burst: 2 };
const NETWORK: Weights = {
  cut: 2,
  'cut-leader': 3,
  'cut-one-way': 3,
  'cut-link': 3,
  split: 2,
  'slow-link': 2,
  'heal-network': 7,
};
const CRASH: Weights = { crash: 2, 'crash-leader': 2, start: 5, shutdown: 1, resign: 1 };
const POWER: Weights = {
  power: 2,
  'power-leader': 2,
  'power-everywhere': 1,
  blink: 3,
  'trap-candidate': 1,
  'trap-leader': 1,
  start: 6,
};
const PAUSE: Weights = { pause: 2, 'pause-leader': 2, resume: 4 };
const SKEW: Weights = { skew: 3, jump: 2 };
const DISK: Weights = {
  'slow-disk': 3,
  'slow-log': 3,
  'failing-disk': 1,
  'mend-disks': 3,
  'lose-disk': 2,
  start: 3,
  blink: 2,
};
const MEMBERSHIP: Weights = {
  'add-voter': 6,
  'remove-voter': 3,
  'remove-leader': 1,
  'change-voters': 1,
  'move-listener': 1,
  upgrade: 1,
};

const EVERYTHING = merge(LOG, NETWORK, CRASH, POWER, PAUSE, SKEW, DISK, MEMBERSHIP);

/** Kinds of trouble, then the known holes of Raft and KRaft, each with what it takes to fall into it. */
const RECIPES = {
  calm: { mishaps: LOG, mishapEveryMs: 500 },
  network: { mishaps: merge(LOG, NETWORK), weather: BAD },
  crash: { mishaps: merge(LOG, CRASH), weather: POOR },
  power: { mishaps: merge(LOG, POWER), weather: POOR },
  pause: { mishaps: merge(LOG, PAUSE, { crash: 1, start: 2 }) },
  skew: { mishaps: merge(LOG, SKEW, { 'cut-leader': 1, 'heal-network': 2 }), weather: POOR },
  disk: { mishaps: merge(LOG, DISK), kraftVersion: 1, weather: POOR },
  membership: {
    mishaps: merge(LOG, MEMBERSHIP, {
      'crash-leader': 1,
      blink: 1,
      start: 3,
      'cut-link': 1,
      'heal-network': 2,
    }),
    weather: POOR,
  },
  snapshots: {
    mishaps: merge(
      { snapshot: 12, 'drop-start': 10, burst: 6 },
      { cut: 3, 'heal-network': 4, blink: 2, resign: 1 },
    ),
    weather: POOR,
  },
  everything: { mishaps: EVERYTHING, weather: POOR },
  /** Raft, figure 8: leaders change before what they appended reaches a majority, and entries of older epochs spread. */
  'figure-eight': {
    mishaps: {
      'power-leader': 4,
      'cut-leader': 3,
      'cut-link': 6,
      split: 3,
      burst: 5,
      start: 6,
      'heal-network': 5,
    },
    mishapEveryMs: 400,
    weather: BAD,
  },
  /** Ongaro 2015: a leader changes the voters before it has committed anything, and another one did, too. */
  'crossed-changes': {
    mishaps: {
      'change-voters': 8,
      'add-voter': 6,
      'cut-leader': 4,
      split: 2,
      'heal-network': 5,
      'crash-leader': 2,
      start: 3,
    },
    kraftVersion: 1,
    mishapEveryMs: 250,
    weather: POOR,
  },
  /** A voter that was removed does not know, and calls for elections. */
  'removed-voter': {
    mishaps: {
      'remove-voter': 4,
      'remove-leader': 3,
      'add-voter': 8,
      'cut-link': 6,
      'heal-network': 3,
      blink: 2,
      start: 2,
    },
    kraftVersion: 1,
  },
  /** A voter that loses power right after its vote, and is asked again. */
  'double-vote': {
    mishaps: {
      blink: 4,
      'trap-candidate': 6,
      'trap-leader': 2,
      resign: 3,
      'cut-leader': 2,
      'slow-disk': 2,
      'mend-disks': 2,
      'heal-network': 3,
    },
  },
  /** A candidate that was elected for a log it did not hold durably, and lost. */
  'short-candidate': {
    mishaps: {
      'trap-candidate': 8,
      'slow-log': 10,
      'mend-disks': 1,
      'crash-leader': 8,
      start: 10,
    },
    mishapEveryMs: 400,
    appendEveryMs: 500,
  },
  /** KIP-996: a voter that does not hear the leader, and is heard by all, brings down nobody who is heard. */
  'deaf-voter': { mishaps: { 'cut-one-way': 6, 'cut-link': 8, 'heal-network': 4, resign: 1, burst: 2 } },
  /** A leader that was stopped for long goes on as if nothing had happened. */
  'resumed-leader': {
    mishaps: { 'pause-leader': 6, resume: 5, 'slow-link': 3, 'heal-network': 2, jump: 2, burst: 3 },
  },
  /** KIP-853: a voter comes back with an empty disk and must not vote as the one it was. */
  'empty-voter': {
    mishaps: {
      'lose-disk': 10,
      'add-voter': 5,
      'remove-voter': 3,
      'crash-leader': 2,
      'cut-leader': 2,
      start: 5,
      'heal-network': 4,
    },
    kraftVersion: 1,
    mishapEveryMs: 500,
  },
  /** The leader changes, and snapshots are replaced, while a follower fetches one. */
  'stale-snapshot': {
    mishaps: {
      snapshot: 10,
      'drop-start': 10,
      burst: 6,
      cut: 4,
      'heal-network': 5,
      resign: 3,
      'slow-link': 2,
      'slow-disk': 2,
      'mend-disks': 2,
      blink: 2,
    },
    mishapEveryMs: 150,
  },
  /** Late answers of former leaders, and logs that differ, so that a cut is asked for by somebody who may not. */
  'late-answers': {
    mishaps: { 'cut-leader': 4, 'slow-link': 8, 'heal-network': 4, resign: 4, burst: 6, blink: 2 },
    mishapEveryMs: 250,
    weather: { dropChance: 0.02, duplicateChance: 0.2, lateChance: 0.25, lateMs: 1900 },
  },
  /** Requests of another cluster, of the past, for another directory, from beyond the end of the log: refused, whatever else goes on. */
  nonsense: {
    mishaps: merge(NETWORK, { nonsense: 40, resign: 2, blink: 2, start: 2, burst: 2 }),
    mishapEveryMs: 60,
    weather: POOR,
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Name of a scenario. */
export type RaftScenarioName = keyof typeof RECIPES;

/** Scenarios by name. */
export const RAFT_SCENARIOS = Object.keys(RECIPES) as readonly RaftScenarioName[];

/** What a seed makes of a scenario. @param nodes voters at first; by lot where it is not given */
export function planRaftScenario(name: RaftScenarioName, random: Random, nodes?: number): RaftScenario {
  const recipe: Recipe = RECIPES[name];
  const kraftVersion = recipe.kraftVersion ?? (random.chance(0.3) ? 0 : 1);
  const voters = nodes ?? (random.chance(0.6) ? 3 : 5);
  return {
    name,
    cluster: {
      voters,
      spares: random.below(3),
      observers: random.between(1, 2),
      kraftVersion,
      autoJoin: recipe.autoJoin ?? random.chance(0.4),
      retryBackoffMs: random.pick([20, 100, 300]),
    },
    weather: recipe.weather ?? FAIR,
    mishaps: recipe.mishaps,
    mishapEveryMs: recipe.mishapEveryMs ?? 300,
    appendEveryMs: recipe.appendEveryMs ?? random.pick([60, 150, 400]),
  };
}

function merge(...all: readonly Weights[]): Weights {
  const out: Partial<Record<MishapName, number>> = {};
  for (const weights of all) {
    for (const [name, weight] of Object.entries(weights) as [MishapName, number][]) {
      out[name] = Math.max(out[name] ?? 0, weight);
    }
  }
  return out;
}
