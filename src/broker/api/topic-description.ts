/** What Metadata and DescribeTopicPartitions say of a partition, and both of the cluster. */
import { ErrorCode } from '../../base/errors.ts';
import type { PartitionRegistration } from '../../metadata/partition-registration.ts';
import type { MetadataView } from '../metadata-view.ts';
import type { Services } from '../services.ts';

/** One partition as clients of a listener see it. */
export interface PartitionDescription {
  readonly errorCode: ErrorCode;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** Brokers that clients of one listener reach, looked up once per answer. */
export class Reachability {
  readonly #view: MetadataView;
  readonly #listener: string;
  readonly #known = new Map<number, boolean>();

  constructor(view: MetadataView, listener: string) {
    this.#view = view;
    this.#listener = listener;
  }

  /** True if the broker is unfenced and has the listener. */
  reaches(brokerId: number): boolean {
    let reached = this.#known.get(brokerId);
    if (reached === undefined) {
      reached = this.#view.node(brokerId, this.#listener) !== null;
      this.#known.set(brokerId, reached);
    }
    return reached;
  }

  /** Describes a partition. @param knowsListenerError true for clients that understand LISTENER_NOT_FOUND (Metadata v6+). */
  describe(
    partitionIndex: number,
    registration: PartitionRegistration,
    knowsListenerError: boolean,
  ): PartitionDescription {
    const { leader, leaderEpoch, replicas, isr } = registration;
    const offlineReplicas = replicas.every((id) => this.reaches(id))
      ? NO_REPLICAS
      : replicas.filter((id) => !this.reaches(id));
    const reached = leader >= 0 && this.reaches(leader);
    return {
      errorCode: reached ? ErrorCode.NONE : this.#leaderError(leader, knowsListenerError),
      partitionIndex,
      leaderId: reached ? leader : -1,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: isr,
      offlineReplicas,
    };
  }

  #leaderError(leader: number, knowsListenerError: boolean): ErrorCode {
    const registered = this.#view.image.cluster.broker(leader) !== undefined;
    return registered && knowsListenerError ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE;
  }
}

const NO_REPLICAS: readonly number[] = [];

/** The broker to which clients are to send what a controller does: this one, since every broker forwards; -1 when it is not reachable itself. */
export function controllerIdFor({ view, nodeId }: Services, listener: string): number {
  return view.node(nodeId, listener) !== null ? nodeId : (view.nodes(listener)[0]?.nodeId ?? -1);
}
