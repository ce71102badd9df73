import { Random } from '../src/base/random.ts';
import { BrokerRun, type CrashPoint } from './broker-run.ts';
import { FollowerRun } from './follower-run.ts';
import { drawScenario, NO_TROUBLE, type Scenario, SCENARIOS, type ScenarioName } from './scenario.ts';
import { PRODUCERS_BETWEEN_INCARNATIONS } from './topic-run.ts';
import { World } from './world.ts';

/** What to run. */
export interface SimulationOptions {
  /** Decides everything; 0..2^32-1. */
  readonly seed: number;
  /** Left out: the seed picks one. */
  readonly scenario?: ScenarioName | undefined;
  /** Events of the troubled part; healing and the audit come on top. Default 2,000. */
  readonly events?: number | undefined;
  /** Asks the broker itself for its invariants after every event; true by default. What is found without it was found from outside. */
  readonly looksInside?: boolean | undefined;
  /**
   * The machine goes down at this operation of its disk, and nothing else goes wrong; the same seed with another operation does the same up to there. `null`: it does not go down
   * at all. Left out: the scenario has its own troubles.
   */
  readonly crashAt?: CrashPoint | null | undefined;
  /** Gets each line of the trace at once. */
  readonly print?: ((line: string) => void) | undefined;
}

/** What came of a run. */
export interface SimulationResult {
  readonly seed: number;
  readonly scenario: ScenarioName;
  /** Null when every invariant held. */
  readonly failure: Error | null;
  /** Hash over the whole trace: equal for two runs of a seed. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly observed: number;
  /** Operations that changed the broker's disk, in order; empty for runs without a broker. */
  readonly operations: readonly string[];
  /** The end of the trace, oldest line first. */
  readonly lastLines: readonly string[];
}

const DEFAULT_EVENTS = 2_000;
const KEPT_LINES = 60;

/** Runs one seed to its end. Never throws for what the simulated system did: see `failure`. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = new Random(options.seed);
  const drawn = random.pick(SCENARIOS);
  const name = options.scenario ?? drawn;
  const scenario = scenarioOf(options, name, random.fork());
  const world = new World(random, {
    print: options.print ?? null,
    isIdempotent: (producer) =>
      scenario.producers[producer % PRODUCERS_BETWEEN_INCARNATIONS]?.idempotent ?? false,
    isRetained: (partition) => isRetained(scenario, partition),
    looksInside: options.looksInside ?? true,
  });
  const events = options.events ?? DEFAULT_EVENTS;
  let operations: readonly string[] = [];
  try {
    if (name === 'follower') await new FollowerRun(world).run(events);
    else {
      const run = new BrokerRun(world, scenario, options.crashAt);
      operations = run.operations;
      await run.run(events);
    }
  } catch (error) {
    world.failure ??= error as Error;
  }
  return {
    seed: options.seed,
    scenario: name,
    failure: world.failure,
    hash: world.trace.hash,
    events: world.clock.eventsRun,
    virtualMs: world.clock.monotonicMs(),
    acknowledged: world.counts.get('acknowledged') ?? 0,
    observed: world.counts.get('observed') ?? 0,
    operations,
    lastLines: world.trace.last(KEPT_LINES),
  };
}

function scenarioOf(options: SimulationOptions, name: ScenarioName, random: Random): Scenario {
  const scenario = drawScenario(name, random);
  if (options.crashAt === undefined) return scenario;
  return { ...scenario, faults: { ...scenario.faults, ...NO_TROUBLE } };
}

/** True if the broker deletes of a partition by itself. Events call partitions `topic-partition` or, of a topic made anew, `topic#incarnation-partition`. */
function isRetained({ topics }: Scenario, partition: string): boolean {
  const name = partition.replace(/(#\d+)?-\d+$/, '');
  const plan = topics.find((topic) => topic.name === name);
  return plan !== undefined && (plan.retentionBytes >= 0 || plan.retentionMs >= 0);
}
