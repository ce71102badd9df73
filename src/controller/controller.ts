import { assert, unreachable } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import type { MetadataImage, MetadataProvenance } from '../metadata/metadata-image.ts';
import type { MetadataPublication } from '../metadata/metadata-loader.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { abortRecord, firstRecords } from './activation.ts';
import { assignReplicasToDirs } from './assign-replicas.ts';
import { alterPartition } from './alter-partition.ts';
import { BrokerHeartbeats } from './broker-heartbeats.ts';
import { electMissingLeaders } from './broker-changes.ts';
import { fenceStaleBrokers, heartbeat, registerBroker, unregisterBroker } from './cluster.ts';
import type { ConfigRules } from './config-rules.ts';
import { alterConfigs, incrementalAlterConfigs } from './configs.ts';
import type { ControllerContext } from './controller-context.ts';
import type {
  ControllerApiKey,
  ControllerApis,
  ControllerRequest,
  ControllerResult,
} from './controller-request.ts';
import { ControllerState } from './controller-state.ts';
import { updateFeatures } from './features.ts';
import { allocateProducerIds } from './producer-ids.ts';
import { createPartitions, createTopics, deleteTopics } from './topics.ts';

/** What a controller is made with. */
export interface ControllerOptions {
  readonly clusterId: string;
  readonly configRules: ConfigRules;
  readonly random: Random;
  /** Id of the broker in this very process, null without one: when the controller starts, earlier incarnations of it are gone. */
  readonly colocatedBrokerId: number | null;
}

/**
 * The controller: decides what changes, as records, and knows the state they make. Pure: no clock, no I/O. Its owner
 *
 *     replays what is in the log         replay(record, offset) … completeBatch(provenance)
 *     leads                              activate(nowMs): append the records it gives
 *     asks                               handle(request, nowMs): append the records, then at once replay them and completeBatch,
 *                                        so that the next request sees them; answer when they are committed
 *     lets time pass                     at nextDeadlineMs(): tick(nowMs), append as above
 *     learns what is committed           release(offset)
 *     loses the lead, or a write fails   rollbackTo(committed offset), deactivate()
 *
 * While it is not active it only replays.
 */
export class Controller {
  readonly #context: ControllerContext;
  readonly #state = new ControllerState();
  readonly #colocatedBrokerId: number | null;
  #active = false;

  constructor(options: ControllerOptions) {
    this.#colocatedBrokerId = options.colocatedBrokerId;
    this.#context = {
      clusterId: options.clusterId,
      state: this.#state,
      configRules: options.configRules,
      heartbeats: new BrokerHeartbeats(options.configRules.brokerSessionTimeoutMs),
      random: options.random,
    };
  }

  /** True between `activate` and `deactivate`. */
  get isActive(): boolean {
    return this.#active;
  }

  /** The state with all records replayed in whole batches, committed or not. */
  get image(): MetadataImage {
    return this.#state.image;
  }

  /** Offset that the next record must be given. */
  get nextOffset(): number {
    return this.#state.nextOffset;
  }

  /** Takes the record at `offset`, the only way the state changes. @throws BrokerError when it cannot be applied. */
  replay(record: MetadataRecord, offset: number): void {
    this.#state.replay(record, offset);
  }

  /** Ends the batch whose last offset `provenance` names; control batches too, though none of their records were replayed. */
  completeBatch(provenance: MetadataProvenance): MetadataPublication {
    return this.#state.completeBatch(provenance);
  }

  /** Goes to the state of a snapshot, while it does not lead: what was not committed is forgotten. `image` is above all that was released. */
  loadSnapshot(image: MetadataImage): MetadataPublication {
    assert(!this.#active, 'a controller that leads loads no snapshot');
    return this.#state.loadSnapshot(image);
  }

  /** All up to `offset`, the end of a batch, is committed: nothing will be rolled back past it. */
  release(offset: number): void {
    this.#state.release(offset);
  }

  /** Forgets all records above `offset`, the end of a batch. */
  rollbackTo(offset: number): void {
    this.#state.rollbackTo(offset);
  }

  /**
   * Begins to lead, with the whole log replayed. Returns the records due first: those of a new cluster (from `bootstrap`) if the log
   * has none, the end of a transaction left open, leaders for partitions that could have one.
   */
  activate(nowMs: number, bootstrap: readonly MetadataRecord[]): ControllerResult<null> {
    assert(!this.#active, 'the controller is active already');
    this.#active = true;
    const { image, transactionStartOffset } = this.#state;
    this.#context.heartbeats.restart(image, nowMs, this.#colocatedBrokerId);
    const records: MetadataRecord[] = [];
    if (transactionStartOffset !== null) records.push(abortRecord());
    if (image.features.levels.size === 0) {
      records.push(...firstRecords(bootstrap, this.#context.configRules.staticMinInsyncReplicas));
      return { records, isAtomic: true, response: null };
    }
    records.push(...electMissingLeaders(this.#context));
    return { records, response: null };
  }

  /** Stops leading. */
  deactivate(): void {
    this.#active = false;
  }

  /** Answers a request. Nothing has changed until its records are replayed. */
  handle<K extends ControllerApiKey>(
    request: ControllerRequest<K>,
    nowMs: number,
  ): ControllerResult<ControllerApis[K]['response']> {
    assert(this.#active, 'a controller that does not lead answers nothing');
    // The compiler cannot follow that the case chosen by the key has the key's response.
    return this.#dispatch(request as AnyRequest, nowMs) as ControllerResult<ControllerApis[K]['response']>;
  }

  /** Does what time has made due at `nowMs`. To be called again while `nextDeadlineMs()` is not after `nowMs`. */
  tick(nowMs: number): ControllerResult<null> {
    assert(this.#active, 'a controller that does not lead has no deadlines');
    const { heartbeats, configRules } = this.#context;
    const deadlineMs = this.nextDeadlineMs();
    if (deadlineMs === null || deadlineMs > nowMs) return { records: [], response: null };
    // A timer this late means that this process stood still, and heartbeats may be waiting to be read: brokers are not to blame.
    if (deadlineMs > 0 && nowMs - deadlineMs > configRules.brokerSessionTimeoutMs / 2) {
      heartbeats.extendAll(nowMs);
      return { records: [], response: null };
    }
    return { records: fenceStaleBrokers(this.#context, nowMs), response: null };
  }

  /** When `tick` has something to do, monotonic; null for never. */
  nextDeadlineMs(): number | null {
    return this.#active ? this.#context.heartbeats.nextDeadlineMs(this.#state.image) : null;
  }

  /** Asserts what must hold between two calls. Costs O(state); for tests and the simulator. */
  checkInvariants(): void {
    this.#state.checkInvariants();
  }

  #dispatch(request: AnyRequest, nowMs: number): ControllerResult<unknown> {
    const context = this.#context;
    switch (request.apiKey) {
      case 19:
        return createTopics(context, request.body);
      case 20:
        return deleteTopics(context, request.body, request.apiVersion);
      case 33:
        return alterConfigs(context, request.body);
      case 37:
        return createPartitions(context, request.body);
      case 44:
        return incrementalAlterConfigs(context, request.body);
      case 56:
        return alterPartition(context, request.body, request.apiVersion);
      case 57:
        return updateFeatures(context, request.body, request.apiVersion);
      case 62:
        return registerBroker(context, request.body, request.apiVersion, nowMs);
      case 63:
        return heartbeat(context, request.body, nowMs);
      case 64:
        return unregisterBroker(context, request.body);
      case 67:
        return allocateProducerIds(context, request.body);
      case 73:
        return assignReplicasToDirs(context, request.body);
      default:
        return unreachable(request);
    }
  }
}

/** A request of any kind, told apart by its key. */
type AnyRequest = { [K in ControllerApiKey]: ControllerRequest<K> }[ControllerApiKey];
