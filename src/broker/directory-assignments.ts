import { ErrorCode, errorName } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Uuid } from '../base/uuid.ts';
import type { Clock, TimerHandle } from '../io/clock.ts';
import type { AssignReplicasToDirsRequest } from '../protocol/messages/assign-replicas-to-dirs.ts';
import type { ControllerChannel } from './controller-channel.ts';

/** Most replicas in one request; Kafka's bound. */
const MAX_REPLICAS_A_REQUEST = 2250;
/** How long after a failure the controller is asked again. */
const RETRY_MS = 1000;

/** A replica of this broker. */
export interface ReplicaPlace {
  readonly topicId: Uuid;
  readonly partition: number;
  readonly directoryId: Uuid;
}

/** How the controller is reached, and as whom. */
export interface DirectoryAssignmentsOptions {
  readonly brokerId: number;
  /** -1 while the broker is not registered: nothing is sent then. */
  readonly brokerEpoch: () => number;
  readonly channel: ControllerChannel;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells the controller in which directories replicas lie, where it does not know (KIP-858): many in one request, one request at a time, again until it is taken. */
export class DirectoryAssignments {
  readonly #options: DirectoryAssignmentsOptions;
  /** By topic id and partition, the newest place of each. */
  readonly #pending = new Map<string, ReplicaPlace>();
  #scheduled = false;
  #inFlight = false;
  #retry: TimerHandle | null = null;
  #closed = false;

  constructor(options: DirectoryAssignmentsOptions) {
    this.#options = options;
  }

  /** Replicas of which the controller has not yet answered that it knows. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Has the controller told of a replica's directory. */
  assign(place: ReplicaPlace): void {
    this.#pending.set(keyOf(place), place);
    this.flush();
  }

  /** Sends what is pending soon, if the broker is registered; to be called when it is. */
  flush(): void {
    if (this.#scheduled || this.#closed || this.#pending.size === 0) return;
    this.#scheduled = true;
    this.#options.clock.defer(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#pending.clear();
    if (this.#retry !== null) this.#options.clock.cancel(this.#retry);
  }

  #send(): void {
    const { brokerId, channel } = this.#options;
    const brokerEpoch = this.#options.brokerEpoch();
    if (this.#closed || this.#inFlight || this.#retry !== null || brokerEpoch < 0) return;
    const places = [...this.#pending.values()].slice(0, MAX_REPLICAS_A_REQUEST);
    if (places.length === 0) return;
    this.#inFlight = true;
    channel.assignReplicasToDirs(
      { brokerId, brokerEpoch, directories: grouped(places) },
      (code, response) => {
        this.#inFlight = false;
        if (this.#closed) return;
        const errorCode = response?.errorCode ?? code;
        if (errorCode !== ErrorCode.NONE) return this.#failed(errorCode);
        // What was refused one by one is of topics that have gone: the metadata will say so.
        for (const place of places)
          if (this.#pending.get(keyOf(place)) === place) this.#pending.delete(keyOf(place));
        return this.flush();
      },
    );
  }

  #failed(errorCode: number): void {
    const { clock, logger } = this.#options;
    if (errorCode === ErrorCode.UNSUPPORTED_VERSION) return this.#pending.clear();
    logger.warn('The controller was not told where replicas lie; it is asked again', {
      error: errorName(errorCode),
    });
    this.#retry = clock.schedule(clock.monotonicMs() + RETRY_MS, () => {
      this.#retry = null;
      this.#send();
    });
  }
}

function keyOf({ topicId, partition }: ReplicaPlace): string {
  return `${topicId}:${partition}`;
}

function grouped(places: readonly ReplicaPlace[]): AssignReplicasToDirsRequest['directories'] {
  const directories = new Map<Uuid, Map<Uuid, number[]>>();
  for (const { topicId, partition, directoryId } of places) {
    const topics = directories.get(directoryId) ?? new Map<Uuid, number[]>();
    directories.set(directoryId, topics);
    const partitions = topics.get(topicId);
    if (partitions === undefined) topics.set(topicId, [partition]);
    else partitions.push(partition);
  }
  return [...directories].map(([id, topics]) => ({
    id,
    topics: [...topics].map(([topicId, partitions]) => ({
      topicId,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    })),
  }));
}
