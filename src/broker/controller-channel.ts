import type { ErrorCode } from '../base/errors.ts';
import type { ControllerApiKey, ControllerApis } from '../controller/controller-request.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';

/** On whose behalf a request is forwarded. */
export interface ForwardContext {
  /** Such as `User:ANONYMOUS`. */
  readonly principal: string;
  /** Address of the client, for messages. */
  readonly clientHost: string;
}

/**
 * What became of a request. `errorCode` other than `NONE` says that it got no answer, and `response` is null: `NOT_CONTROLLER` (41) when the
 * controller is not there or lost its leadership before the records were committed (ask again later; whether it was done is unknown),
 * `KAFKA_STORAGE_ERROR` (56) when the metadata log is offline, `UNKNOWN_SERVER_ERROR` (-1) for a failure within the controller.
 */
export type ControllerAnswer<K extends ControllerApiKey> = (
  errorCode: ErrorCode,
  response: ControllerApis[K]['response'] | null,
) => void;

/**
 * How the broker half of a node reaches the active controller: in the same process, or over the wire. Each `done` is called exactly once, never within the
 * call, and only after what it answers is committed. When this node holds metadata, what the answer speaks of was published to the
 * subscribers before.
 */
export interface ControllerChannel {
  /** BrokerRegistration of this node's broker. */
  register(request: ControllerApis[62]['request'], done: ControllerAnswer<62>): void;
  /** BrokerHeartbeat of this node's broker. */
  heartbeat(request: ControllerApis[63]['request'], done: ControllerAnswer<63>): void;
  /** AllocateProducerIds for this node's broker. */
  allocateProducerIds(request: ControllerApis[67]['request'], done: ControllerAnswer<67>): void;
  /** AssignReplicasToDirs by this node's broker. */
  assignReplicasToDirs(request: ControllerApis[73]['request'], done: ControllerAnswer<73>): void;
  /** AlterPartition by this node's broker as leader. */
  alterPartition(request: ControllerApis[56]['request'], done: ControllerAnswer<56>): void;
  /** Any forwardable API, on behalf of a client. The caller has authorized it. */
  forward<K extends ControllerApiKey>(
    apiKey: K,
    apiVersion: number,
    request: ControllerApis[K]['request'],
    context: ForwardContext,
    done: ControllerAnswer<K>,
  ): void;
}

/** Where a node's metadata comes from. */
export interface MetadataSource {
  /**
   * Adds a subscriber. If metadata was published before, it is called at once with a delta from the empty image; else with the first publication,
   * which comes when the log has been replayed up to its committed end. Order of subscription is order of calls.
   */
  subscribe(publisher: MetadataPublisher): void;
}
