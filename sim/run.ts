import { Random } from '../src/base/random.ts';
import { BrokerRun } from './broker-run.ts';
import { FollowerRun } from './follower-run.ts';
import { drawScenario, SCENARIOS, type ScenarioName } from './scenario.ts';
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
  const scenario = drawScenario(name, random.fork());
  const world = new World(random, {
    print: options.print ?? null,
    isIdempotent: (producer) =>
      scenario.producers[producer % PRODUCERS_BETWEEN_INCARNATIONS]?.idempotent ?? false,
    looksInside: options.looksInside ?? true,
  });
  const events = options.events ?? DEFAULT_EVENTS;
  try {
    if (name === 'follower') await new FollowerRun(world).run(events);
    else await new BrokerRun(world, scenario).run(events);
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
    lastLines: world.trace.last(KEPT_LINES),
  };
}
