import { limitRepeats, type RepeatLimiter } from '../base/repeat-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { ListenerEndpoint } from '../config/listeners.ts';
import type { Clock } from '../io/clock.ts';
import type { Compute } from '../io/compute.ts';
import type { ConnectionLimits, Listener, Network, ReceiveBudget } from '../io/network.ts';
import type { LogManager } from '../log/log-manager.ts';
import { alterReplicaLogDirsApi } from './api/alter-replica-log-dirs.ts';
import { apiVersionsApi } from './api/api-versions.ts';
import { deleteRecordsApi } from './api/delete-records.ts';
import { deleteGroupsApi } from './api/delete-groups.ts';
import { describeGroupsApi } from './api/describe-groups.ts';
import { findCoordinatorApi } from './api/find-coordinator.ts';
import { heartbeatApi } from './api/heartbeat.ts';
import { joinGroupApi } from './api/join-group.ts';
import { leaveGroupApi } from './api/leave-group.ts';
import { listGroupsApi } from './api/list-groups.ts';
import { offsetCommitApi } from './api/offset-commit.ts';
import { offsetDeleteApi } from './api/offset-delete.ts';
import { offsetFetchApi } from './api/offset-fetch.ts';
import { syncGroupApi } from './api/sync-group.ts';
import { describeClusterApi } from './api/describe-cluster.ts';
import { describeConfigsApi } from './api/describe-configs.ts';
import { describeProducersApi } from './api/describe-producers.ts';
import { describeLogDirsApi } from './api/describe-log-dirs.ts';
import { describeTopicPartitionsApi } from './api/describe-topic-partitions.ts';
import { FetchWaiters, fetchApi } from './api/fetch.ts';
import { forwardedApis } from './api/forwarded.ts';
import { initProducerIdApi } from './api/init-producer-id.ts';
import { listOffsetsApi } from './api/list-offsets.ts';
import { metadataApi } from './api/metadata.ts';
import { offsetForLeaderEpochApi } from './api/offset-for-leader-epoch.ts';
import { produceApi } from './api/produce.ts';
import { Connections } from './connections.ts';
import { GroupCoordinator } from './coordinators/group-coordinator.ts';
import { offsetsTopicSettings } from './coordinators/offsets-topic.ts';
import type { ControllerChannel } from './controller-channel.ts';
import type { Counters } from './counters.ts';
import { DispatchTable } from './dispatch.ts';
import { FetchSessions } from './fetch-session.ts';
import { allowAll, unlimited } from './hooks.ts';
import type { MetadataView } from './metadata-view.ts';
import type { Partitions } from './partitions.ts';
import { ProducerIds } from './producer-ids.ts';
import type { ReplicaMoves } from './replica-moves.ts';
import type { Services } from './services.ts';
import { WakeQueue } from './wake-queue.ts';

/** Bytes of frames that are on their way in, and of those that pending requests keep, over all connections; each. */
const MAX_FRAME_BYTES_IN_FLIGHT = 256 << 20;
/** A frame that was begun must be whole after this long. */
const FRAME_TIMEOUT_MS = 60_000;
/** Equal lines about misbehaving peers that are written in one interval. */
const PEER_LINES = { maxPerInterval: 10, intervalMs: 10_000 };

/** What serving needs of the rest of the broker. */
export interface ServingOptions {
  readonly config: BrokerConfig;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly network: Network;
  readonly compute: Compute;
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly logs: LogManager;
  readonly view: MetadataView;
  readonly partitions: Partitions;
  readonly moves: ReplicaMoves;
  readonly channel: ControllerChannel;
  readonly brokerEpoch: () => number;
}

/** A listener that is bound. */
export interface BoundListener {
  readonly listenerName: string;
  readonly host: string;
  readonly port: number;
}

/** The side of a broker that clients see: connections, the dispatch table, and what handlers share. */
export class Serving {
  readonly connections: Connections;
  readonly sessions: FetchSessions;
  readonly waiters = new FetchWaiters();
  readonly groups: GroupCoordinator;
  readonly #options: ServingOptions;
  readonly #peerLog: RepeatLimiter;
  readonly #budget: ReceiveBudget = { maxBytes: MAX_FRAME_BYTES_IN_FLIGHT, usedBytes: 0 };
  #listeners: Listener[] = [];

  constructor(options: ServingOptions) {
    this.#options = options;
    const { clock, config, counters, logger, logs, network, random, wheel } = options;
    const monotonicMs = (): number => clock.monotonicMs();
    this.#peerLog = limitRepeats(logger, { ...PEER_LINES, monotonicMs });
    const maxSessions = config.get('max.incremental.fetch.session.cache.slots');
    this.sessions = new FetchSessions({ maxSessions }, random.fork(), counters);
    const table = new DispatchTable({ counters, monotonicMs, deadlineMs: config.get('request.timeout.ms') });
    this.connections = new Connections({
      network,
      wheel,
      monotonicMs,
      dispatcher: table,
      counters,
      logger,
      peerLogger: this.#peerLog.logger,
      maxRetainedBytes: MAX_FRAME_BYTES_IN_FLIGHT,
      maxIdleMs: config.get('connections.max.idle.ms'),
      cork: () => logs.cork(),
      uncork: () => logs.uncork(),
    });
    const services = this.#services();
    this.groups = new GroupCoordinator(services, options.compute, random.fork(), config);
    this.#fill(table, services);
    this.#fillGroups(table, services);
  }

  #fill(table: DispatchTable, services: Services): void {
    const { config, view } = this.#options;
    table.add(produceApi(services));
    table.add(fetchApi(services, this.waiters));
    table.add(listOffsetsApi(services));
    table.add(metadataApi(services));
    table.add(apiVersionsApi({ handlers: () => table.handlers(), view }));
    table.add(initProducerIdApi(services, this.#producerIds()));
    table.add(deleteRecordsApi(services));
    table.add(offsetForLeaderEpochApi(services));
    table.add(describeConfigsApi(services, config));
    table.add(describeLogDirsApi(services, this.#options.logs));
    table.add(alterReplicaLogDirsApi(services, this.#options.moves));
    table.add(describeClusterApi(services));
    table.add(describeTopicPartitionsApi(services));
    table.add(describeProducersApi(services));
    for (const handler of forwardedApis(services)) table.add(handler);
  }

  #fillGroups(table: DispatchTable, services: Services): void {
    const { groups } = this;
    table.add(findCoordinatorApi(services, groups, offsetsTopicSettings(this.#options.config)));
    table.add(offsetCommitApi(services, groups));
    table.add(offsetFetchApi(services, groups));
    table.add(offsetDeleteApi(services, groups));
    table.add(joinGroupApi(services, groups));
    table.add(syncGroupApi(services, groups));
    table.add(heartbeatApi(services, groups));
    table.add(leaveGroupApi(services, groups));
    table.add(listGroupsApi(services, groups));
    table.add(describeGroupsApi(services, groups));
    table.add(deleteGroupsApi(services, groups));
  }

  #producerIds(): ProducerIds {
    const { config, brokerEpoch, channel } = this.#options;
    return new ProducerIds(config.nodeId, brokerEpoch, channel);
  }

  #services(): Services {
    const { config, clock } = this.#options;
    const { connections } = this;
    const wakes: WakeQueue = new WakeQueue(
      () => clock.defer(() => connections.inTurn(() => wakes.turn())),
      () => connections.turning,
    );
    connections.onTurnEnd(() => wakes.run());
    return {
      ...this.#options,
      nodeId: config.nodeId,
      limits: {
        fetchMaxBytes: config.get('fetch.max.bytes'),
        autoCreateTopics: config.get('auto.create.topics.enable'),
        deleteTopics: config.get('delete.topic.enable'),
        maxPartitionsPerAnswer: config.get('max.request.partition.size.limit'),
      },
      wakes,
      sessions: this.sessions,
      authorizer: allowAll,
      quotas: unlimited,
    };
  }

  /** Binds the listeners; connections are accepted but wait until `connections.serve()`. @throws BrokerError `LISTEN_FAILED` */
  listen(endpoints: readonly ListenerEndpoint[]): BoundListener[] {
    const bound: BoundListener[] = [];
    for (const { listenerName, host, port } of endpoints) {
      const listener = this.#options.network.listen({
        host,
        port,
        limits: this.#limits(listenerName),
        handler: this.connections.handlerFor(listenerName),
        maxConnections: this.#options.config.getForListener(listenerName, 'max.connections'),
      });
      this.#listeners.push(listener);
      bound.push({ listenerName, host: listener.host, port: listener.port });
    }
    return bound;
  }

  #limits(listenerName: string): ConnectionLimits {
    const { config } = this.#options;
    // Kafka's default of 100 KiB would switch the system's own tuning off; only what was set counts.
    const isSet = config.isSet('socket.receive.buffer.bytes');
    const wanted = config.getForListener(listenerName, 'socket.receive.buffer.bytes');
    return {
      maxFrameBytes: config.getForListener(listenerName, 'socket.request.max.bytes'),
      frameTimeoutMs: FRAME_TIMEOUT_MS,
      budget: this.#budget,
      socketBufferBytes: isSet && wanted > 0 ? wanted : undefined,
    };
  }

  /** Accepts no more, answers what is pending, and ends all connections; `done` when they are gone. */
  drain(done: () => void): void {
    this.#closeListeners();
    this.connections.inTurn(() => {
      this.waiters.stopWaiting();
      this.groups.close();
    });
    this.connections.drain(done);
  }

  /** Ends everything at once. */
  abort(): void {
    this.#closeListeners();
    this.waiters.stopWaiting();
    this.groups.close();
    this.connections.closeAll();
    this.#peerLog.flush();
  }

  #closeListeners(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }
}
