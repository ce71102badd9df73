import { createLogger, type Logger } from '../src/base/logger.ts';
import type { Random } from '../src/base/random.ts';
import { Broker } from '../src/broker/broker.ts';
import { developmentConfig } from '../src/config/development.ts';
import { Violation } from './checkers/checker.ts';
import { type CrashKind, MachineDisk } from './machine-disk.ts';
import type { ChoresPlan, FaultPlan } from './scenario.ts';
import type { HostClock } from './virtual/clock.ts';
import { VirtualCompute } from './virtual/compute.ts';
import { SSD_LATENCY } from './virtual/disk.ts';
import { VirtualHttpServer } from './virtual/http.ts';
import type { VirtualInternet, VirtualNetwork } from './virtual/network.ts';
import type { World } from './world.ts';

/** Where the simulated broker listens. */
export const BROKER_ADDRESS = { host: 'broker', port: 9092 } as const;

/** Its only log directory. */
export const DATA_DIRECTORY = '/data';

const SLOW_DISK = {
  appendMs: [1, 60],
  flushMs: [5, 400],
  flushDirectoryMs: [1, 100],
  inlineAppends: 0.1,
} as const;
/** What the broker logs of a log that it does not trust. */
const RECOVERY_LINE = /The log is recovered|not left as the clean marker says|The log is cut where/;

/** How a node ends. */
export type StopKind = 'clean' | CrashKind;

/** One machine with one broker on it: the broker is the real one, the machine is virtual and outlives it. */
export class SimulatedNode {
  readonly disk: MachineDisk;
  readonly #world: World;
  readonly #internet: VirtualInternet;
  readonly #random: Random;
  readonly #settings: Readonly<Record<string, string>>;
  #clock: HostClock | null = null;
  #network: VirtualNetwork | null = null;
  #broker: Broker | null = null;
  /** `down`: nothing runs. `changing`: starting or stopping. `up`: serving. */
  state: 'down' | 'changing' | 'up' = 'down';
  /** True from the first disk trouble of a broker's life on: it may be offline in part, and its stop may be unclean. The owner sets it. */
  spoiled = false;
  /** True after a stop in good order: all that was acknowledged is on the device, and the next start has nothing to recover. */
  leftClean = false;

  constructor(
    world: World,
    internet: VirtualInternet,
    plan: { readonly faults: FaultPlan; readonly chores: ChoresPlan },
    random: Random,
  ) {
    const { faults, chores } = plan;
    this.#world = world;
    this.#internet = internet;
    this.#random = random;
    this.#settings = {
      listeners: `PLAINTEXT://${BROKER_ADDRESS.host}:${BROKER_ADDRESS.port}`,
      'log.dir': DATA_DIRECTORY,
      'log.flush.offset.checkpoint.interval.ms': String(chores.checkpointMs),
      'replica.high.watermark.checkpoint.interval.ms': String(chores.highWatermarkMs),
      'log.retention.check.interval.ms': String(chores.retentionMs),
    };
    this.disk = new MachineDisk({
      clock: world.clock,
      random: random.fork(),
      latency: faults.slowDisk ? SLOW_DISK : SSD_LATENCY,
      shortWrites: faults.shortWrites,
    });
  }

  /** The broker that runs, for assertions on its inside; null when none is up. */
  get broker(): Broker | null {
    return this.state === 'up' ? this.#broker : null;
  }

  /** Starts a broker on what the disk holds. @param done gets null when it serves, or why it did not start. */
  start(done: (error: Error | null) => void): void {
    this.state = 'changing';
    const clock = this.#world.clock.forHost();
    this.#clock = clock;
    this.#network = this.#internet.host(BROKER_ADDRESS.host);
    const random = this.#random.fork();
    const starting = Broker.start({
      config: developmentConfig(this.#settings, { hostName: BROKER_ADDRESS.host, workingDirectory: '/' }),
      ports: {
        clock,
        disk: this.disk,
        network: this.#network,
        compute: new VirtualCompute(clock),
        http: new VirtualHttpServer(clock),
        random,
      },
      logger: this.#logger(clock),
    });
    starting.then(
      (broker) =>
        this.#ifCurrent(clock, () => {
          this.#broker = broker;
          this.state = 'up';
          this.leftClean = false;
          this.#world.note('broker up');
          done(null);
        }),
      (error: Error) =>
        this.#ifCurrent(clock, () => {
          this.#world.note(`broker did not start: ${error.message}`);
          this.crash('kill');
          done(error);
        }),
    );
  }

  /** Ends it without warning: a killed process (the page cache stays) or a loss of power, which may also hit a machine on which nothing runs. */
  crash(kind: CrashKind): void {
    this.#world.note(`${this.state === 'down' ? 'machine' : 'broker'} ends: ${kind}`);
    // The marker goes when a start opens the directory.
    if (this.state !== 'down') this.leftClean = false;
    this.#end(kind);
  }

  /** Lets it shut down in good order. */
  stop(done: () => void): void {
    const { broker } = this;
    const clock = this.#clock;
    if (broker === null || clock === null) throw new Error('only a broker that is up can be stopped');
    this.state = 'changing';
    this.#world.note('broker shuts down');
    broker.close().then(
      () =>
        this.#ifCurrent(clock, () => {
          this.#world.note('broker is shut down');
          this.#end('kill');
          this.leftClean = !this.spoiled;
          done();
        }),
      (error: Error) =>
        this.#ifCurrent(clock, () => {
          throw error;
        }),
    );
  }

  /** True once the machine went down at a disk operation, until `crash`. */
  get fell(): CrashKind | null {
    return this.disk.faults.down;
  }

  #end(kind: CrashKind): void {
    this.#clock?.stop();
    this.#clock = null;
    this.#broker = null;
    this.state = 'down';
    this.#network?.crash(kind === 'power' ? 'power' : 'process');
    this.#network = null;
    this.disk.faults.revive();
    this.disk.crash(kind === 'power' ? 'power' : 'process');
  }

  /** What becomes of the broker's promises counts only while it lives. */
  #ifCurrent(clock: HostClock, step: () => void): void {
    if (this.#clock === clock && this.fell === null) this.#world.guard(step);
  }

  #logger(clock: HostClock): Logger {
    return createLogger({
      sink: (line) => {
        this.#world.note(`broker: ${line}`);
        if (this.leftClean && this.state === 'changing' && isRecovery(line))
          this.#world.fail(new Violation('a clean stop leaves nothing to recover', line));
      },
      wallMs: () => clock.wallMs(),
      format: 'json',
    });
  }
}

/** The metadata log is checked at every start. */
function isRecovery(line: string): boolean {
  return RECOVERY_LINE.test(line) && !line.includes('"__cluster_metadata"');
}
