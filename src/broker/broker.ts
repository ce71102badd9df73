import { BrokerError } from '../base/broker-error.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { CallbackTimer, TimerWheel } from '../base/timer-wheel.ts';
import { randomUuid } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { SECURITY_PROTOCOLS } from '../config/listeners.ts';
import type { Clock } from '../io/clock.ts';
import type { Compute } from '../io/compute.ts';
import type { Disk } from '../io/disk.ts';
import type { HttpListener, HttpServer } from '../io/http.ts';
import type { Network } from '../io/network.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import { LogManager } from '../log/log-manager.ts';
import { openLogDirectories } from '../log/open-directories.ts';
import type { NodeEndpoint } from '../metadata/broker-registration.ts';
import type { Partition } from '../replication/partition.ts';
import { adminHandler } from './admin-http.ts';
import { Counters } from './counters.ts';
import { DirectoryAssignments } from './directory-assignments.ts';
import { Lifecycle } from './lifecycle.ts';
import { MetadataView } from './metadata-view.ts';
import { type Gauges, MetricsPage } from './metrics.ts';
import { Partitions } from './partitions.ts';
import { ReplicaMoves } from './replica-moves.ts';
import { type BoundListener, Serving } from './serving.ts';
import { RaftDriver } from './raft-driver.ts';
import { TopicSettingsCache } from './topic-settings.ts';

/** The world as a broker sees it. Nothing else of the machine is touched. */
export interface BrokerPorts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
  readonly compute: Compute;
  readonly http: HttpServer;
  readonly random: Random;
}

/** How a broker is started. */
export interface BrokerOptions {
  readonly config: BrokerConfig;
  /** They stay the caller's: a broker closes what it opened on them, not the ports. */
  readonly ports: BrokerPorts;
  readonly logger: Logger;
}

/** How long a stop waits for pending requests before it ends their connections. */
const DRAIN_TIMEOUT_MS = 10_000;

/** Where a broker stands; told by `/healthz`. */
type BrokerState = 'starting' | 'serving' | 'stopping' | 'stopped';

/**
 * One node: the composition root. Several may live in one process, each on ports of its own or on shared ones.
 *
 * A start goes through: directories locked and identified → metadata log replayed, the controller active → data logs recovered → listeners
 * bound → registered and unfenced → partitions led → frames taken up. A stop goes the other way, and leaves the clean marker.
 */
export class Broker {
  readonly #config: BrokerConfig;
  readonly #ports: BrokerPorts;
  readonly #logger: Logger;
  readonly #environment: LogEnvironment;
  readonly #wheel: TimerWheel;
  readonly #counters = new Counters();
  readonly #view = new MetadataView();
  readonly #settings: TopicSettingsCache;
  #state: BrokerState = 'starting';
  #directories: LogDirectory[] = [];
  #driver: RaftDriver | null = null;
  #logs: LogManager | null = null;
  #partitions: Partitions | null = null;
  #assignments: DirectoryAssignments | null = null;
  #moves: ReplicaMoves | null = null;
  #serving: Serving | null = null;
  #lifecycle: Lifecycle | null = null;
  #admin: HttpListener | null = null;
  #addresses: readonly BoundListener[] = [];
  #closing: Promise<void> | null = null;

  /** Not to be called: see `Broker.start`. */
  private constructor(options: BrokerOptions) {
    const { clock, disk, compute, random } = options.ports;
    this.#config = options.config;
    this.#ports = options.ports;
    this.#logger = options.logger;
    this.#environment = { clock, disk, compute, logger: options.logger, random: random.fork() };
    this.#wheel = new TimerWheel(clock);
    this.#settings = new TopicSettingsCache(options.config);
  }

  /**
   * Starts a broker; resolves when it serves clients.
   * @throws BrokerError when a directory is locked or is another node's, a log cannot be recovered, or an address cannot be bound; nothing stays open
   * then.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options);
    try {
      await broker.#start();
    } catch (error) {
      await broker.#abandon();
      throw error;
    }
    return broker;
  }

  /** `node.id`. */
  get nodeId(): number {
    return this.#config.nodeId;
  }

  /** Id of the cluster that its directories belong to. */
  get clusterId(): string {
    return this.#directories[0]?.clusterId ?? '';
  }

  /** Where it listens: the ports that were really bound. */
  get addresses(): readonly BoundListener[] {
    return this.#addresses;
  }

  /** Where the admin port is, null when there is none. */
  get adminAddress(): { readonly host: string; readonly port: number } | null {
    return this.#admin === null ? null : { host: this.#admin.host, port: this.#admin.port };
  }

  /** What was counted so far. */
  get counters(): Counters {
    return this.#counters;
  }

  /** Answers what is pending, flushes, and leaves the marker of a clean stop. Calls after the first get the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A replica of this broker, null if it has none: for the coordinators beside it and for tests. */
  partition(topic: string, partition: number): Partition | null {
    return this.#partitions?.find(topic, partition) ?? null;
  }

  /** Asserts what must hold between two events; for the simulator. */
  checkInvariants(): void {
    for (const partition of this.#partitions?.all() ?? []) {
      partition.checkInvariants();
      partition.log?.checkInvariants();
    }
    this.#serving?.sessions.checkInvariants();
    this.#serving?.groups.checkInvariants();
  }

  async #start(): Promise<void> {
    await this.#openDirectories();
    await this.#openAdmin();
    const driver = await this.#startController();
    await this.#openLogs();
    const partitions = this.#followMetadata(driver);
    const serving = this.#openServing(driver, partitions);
    this.#addresses = serving.listen(this.#config.listeners.broker);
    await this.#join(driver);
    this.#assignments?.flush();
    await this.#until(() => partitions.settled);
    for (const log of partitions.strays()) (this.#logs as LogManager).setAside(log);
    this.#moves?.resume();
    this.#state = 'serving';
    serving.connections.serve();
  }

  async #openDirectories(): Promise<void> {
    const { logDirs, metadataLogDir, nodeId } = this.#config;
    const options = {
      paths: [...new Set([...logDirs, metadataLogDir])],
      nodeId,
      clusterId: this.#config.get('odradek.cluster.id'),
      formatBlank: this.#config.get('odradek.auto.format'),
      essentialPath: metadataLogDir,
    };
    this.#directories = await new Promise((resolve, reject) => {
      openLogDirectories(this.#environment, options, (error, directories) =>
        error === null ? resolve(directories) : reject(error),
      );
    });
  }

  async #openAdmin(): Promise<void> {
    const { admin } = this.#config;
    if (admin === null) return;
    const handler = adminHandler({
      metrics: new MetricsPage(this.#counters, () => this.#gauges()),
      unhealthy: () => this.#unhealthy(),
      logger: this.#logger,
    });
    this.#admin = await new Promise((resolve, reject) => {
      this.#ports.http.listen({ ...admin, handler }, (error, listener) =>
        error === null ? resolve(listener) : reject(error),
      );
    });
  }

  /** Replays the metadata log and becomes the active controller; resolves when the first image is published. */
  async #startController(): Promise<RaftDriver> {
    const directory = this.#directories.find(({ path }) => path === this.#config.metadataLogDir);
    if (directory === undefined)
      throw new BrokerError('DIRECTORY_MISSING', 'the metadata directory was not opened');
    const driver = await new Promise<RaftDriver>((resolve, reject) => {
      RaftDriver.open({ environment: this.#environment, config: this.#config, directory }, (error, opened) =>
        opened === null ? reject(error) : resolve(opened),
      );
    });
    this.#driver = driver;
    driver.subscribe(this.#view);
    return driver;
  }

  async #openLogs(): Promise<void> {
    const config = this.#config;
    const directories = this.#directories.filter(({ path }) => config.logDirs.includes(path));
    const options = {
      directories,
      configOf: (topic: string) => this.#settings.of(topic, this.#view.image).log,
      recoveryThreads: config.get('num.recovery.threads.per.data.dir'),
      producerIdExpirationMs: config.get('producer.id.expiration.ms'),
      producerIdExpirationCheckIntervalMs: config.get('producer.id.expiration.check.interval.ms'),
      retentionCheckIntervalMs: config.get('log.retention.check.interval.ms'),
      checkpointIntervalMs: config.get('log.flush.offset.checkpoint.interval.ms'),
      highWatermarkCheckpointIntervalMs: config.get('replica.high.watermark.checkpoint.interval.ms'),
      onDirectoryOffline: (directory: LogDirectory, cause: Error) => {
        this.#logger.error('A log directory failed and is offline', { path: directory.path, error: cause });
        this.#partitions?.directoryFailed(directory);
        this.#lifecycle?.hurry();
      },
    };
    this.#logs = await new Promise((resolve, reject) => {
      LogManager.open(this.#environment, options, (error, logs) =>
        logs === null ? reject(error) : resolve(logs),
      );
    });
  }

  #followMetadata(driver: RaftDriver): Partitions {
    const assignments = new DirectoryAssignments({
      brokerId: this.nodeId,
      brokerEpoch: () => this.#lifecycle?.brokerEpoch ?? -1,
      channel: driver,
      clock: this.#ports.clock,
      logger: this.#logger,
    });
    this.#assignments = assignments;
    const partitions = new Partitions({
      localId: this.nodeId,
      logs: this.#logs as LogManager,
      view: this.#view,
      clock: this.#ports.clock,
      logger: this.#logger,
      settingsOf: (topic, image) => this.#settings.of(topic, image),
      onPlaced: (place) => assignments.assign(place),
    });
    this.#partitions = partitions;
    this.#moves = new ReplicaMoves({
      logs: this.#logs as LogManager,
      clock: this.#ports.clock,
      logger: this.#logger,
      find: (topic, partition) => partitions.find(topic, partition),
      onPlaced: (place) => assignments.assign(place),
    });
    driver.subscribe(partitions);
    return partitions;
  }

  #openServing(driver: RaftDriver, partitions: Partitions): Serving {
    const { clock, compute, network, random } = this.#ports;
    this.#serving = new Serving({
      config: this.#config,
      clusterId: this.clusterId,
      clock,
      network,
      compute,
      random: random.fork(),
      wheel: this.#wheel,
      logger: this.#logger,
      counters: this.#counters,
      logs: this.#logs as LogManager,
      view: this.#view,
      partitions,
      moves: this.#moves as ReplicaMoves,
      channel: driver,
      brokerEpoch: () => this.#lifecycle?.brokerEpoch ?? -1,
    });
    driver.subscribe(this.#serving.groups);
    return this.#serving;
  }

  /** Registers and waits until the controller lets clients see this broker. */
  async #join(driver: RaftDriver): Promise<void> {
    const config = this.#config;
    const { clock, random } = this.#ports;
    const lifecycle = new Lifecycle({
      brokerId: this.nodeId,
      clusterId: this.clusterId,
      incarnationId: randomUuid(random),
      rack: config.rack,
      endpoints: this.#endpoints(),
      directoryIds: this.#directoryIds(({ offline }) => !offline),
      previousBrokerEpoch: (this.#logs as LogManager).previousBrokerEpoch,
      heartbeatIntervalMs: config.get('broker.heartbeat.interval.ms'),
      registrationTimeoutMs: config.get('initial.broker.registration.timeout.ms'),
      channel: driver,
      wheel: this.#wheel,
      monotonicMs: () => clock.monotonicMs(),
      metadataOffset: () => this.#view.image.provenance.offset,
      offlineDirectoryIds: () => this.#directoryIds(({ offline }) => offline),
      logger: this.#logger,
    });
    this.#lifecycle = lifecycle;
    await new Promise<void>((resolve, reject) => {
      lifecycle.start((error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** What clients are told, with the ports that were really bound. */
  #endpoints(): NodeEndpoint[] {
    return this.#config.listeners.advertised.map(({ listenerName, host, port, securityProtocol }) => {
      const bound = this.#addresses.find((address) => address.listenerName === listenerName);
      return {
        name: listenerName,
        host,
        port: port === 0 ? (bound?.port ?? 0) : port,
        securityProtocol: SECURITY_PROTOCOLS.indexOf(securityProtocol),
      };
    });
  }

  /** Ids of the data directories for which `wanted` holds, sorted. */
  #directoryIds(wanted: (directory: LogDirectory) => boolean): string[] {
    const { logDirs } = this.#config;
    return this.#directories
      .filter((directory) => logDirs.includes(directory.path) && wanted(directory))
      .map(({ directoryId }) => directoryId)
      .sort();
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#view.wait(() => {
        if (condition()) resolve();
        return condition();
      });
    });
  }

  async #close(): Promise<void> {
    this.#state = 'stopping';
    await this.#drain();
    await new Promise<void>((resolve) => (this.#lifecycle ? this.#lifecycle.leave(resolve) : resolve()));
    await this.#closeStorage(true);
    await this.#closeAdmin();
    this.#wheel.close();
    this.#state = 'stopped';
  }

  /** Takes back what a start that failed has done. */
  async #abandon(): Promise<void> {
    this.#state = 'stopping';
    this.#lifecycle?.stop();
    this.#serving?.abort();
    await this.#closeStorage(false);
    await this.#closeAdmin();
    this.#wheel.close();
    this.#state = 'stopped';
  }

  /** Answers what is pending; connections that take longer than ten seconds are cut. */
  async #drain(): Promise<void> {
    const serving = this.#serving;
    if (serving === null) return;
    const timer = new CallbackTimer(() => {
      this.#logger.warn('Requests were still pending; their connections are cut');
      serving.abort();
    });
    this.#wheel.schedule(timer, this.#ports.clock.monotonicMs() + DRAIN_TIMEOUT_MS);
    await new Promise<void>((resolve) => serving.drain(resolve));
    this.#wheel.cancel(timer);
  }

  async #closeStorage(clean: boolean): Promise<void> {
    const brokerEpoch = this.#lifecycle?.brokerEpoch ?? -1;
    this.#moves?.close();
    this.#partitions?.stopAll();
    this.#assignments?.close();
    const logs = this.#logs;
    if (logs !== null) await new Promise<void>((resolve) => logs.close({ clean, brokerEpoch }, resolve));
    const driver = this.#driver;
    if (driver !== null) await new Promise<void>((resolve) => driver.close(resolve));
    for (const directory of this.#directories) directory.release();
  }

  async #closeAdmin(): Promise<void> {
    const admin = this.#admin;
    if (admin !== null) await new Promise<void>((resolve) => admin.close(resolve));
  }

  /** Null when clients are served, else why not. */
  #unhealthy(): string | null {
    if (this.#state !== 'serving') return this.#state;
    if (this.#lifecycle?.state !== 'active') return 'fenced by the controller';
    const failed = this.#directories.find(({ offline }) => offline);
    return failed === undefined ? null : `the log directory ${failed.path} failed`;
  }

  #gauges(): Gauges {
    const counts = this.#partitions?.counts() ?? { partitions: 0, leaders: 0 };
    let logBytes = 0;
    for (const log of this.#logs?.all() ?? []) logBytes += log.sizeBytes;
    return {
      ...counts,
      logBytes,
      connections: this.#serving?.connections.size ?? 0,
      retainedBytes: this.#serving?.connections.retainedBytes ?? 0,
      fetchSessions: this.#serving?.sessions.size ?? 0,
      fetchSessionPartitions: this.#serving?.sessions.partitionCount ?? 0,
      waitingFetches: this.#serving?.waiters.size ?? 0,
      coordinators: this.#serving?.groups.counts() ?? { groups: 0, offsets: 0, shards: 0 },
      offlineLogDirectories: this.#directories.filter(({ offline }) => offline).length,
      metadataOffset: this.#view.image.provenance.offset,
    };
  }
}
