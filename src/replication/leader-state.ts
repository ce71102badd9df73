/**
 * What a leader knows of its partition's replicas, and the high watermark that follows from it. Pure: facts come in as calls, the caller acts on what they
 * return. Source: KIP-101, KIP-497, KIP-966; formats §25.
 *
 *     fact                      effect
 *     assigned(isr, …)          the ISR is replaced; the high watermark may move
 *     localEndAdvanced(offset)  the leader's own end; the high watermark may move
 *     followerFetched(…)        a follower acknowledges everything below its fetch offset; the high watermark may move
 *
 * Invariants: the high watermark never goes back and never passes the leader's own end; it stands still while the ISR is smaller than
 * min.insync.replicas.
 */
import { assert } from '../base/assert.ts';

/** What the controller has decided about a partition; from its metadata record. */
export interface Assignment {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** What the leader knows of one follower. */
interface FollowerState {
  endOffset: number;
}

/** A leader's state for one leader epoch. */
export class LeaderState {
  readonly localId: number;
  readonly leaderEpoch: number;
  /** Log end when this epoch began: offsets below belong to earlier leaders. */
  readonly epochStartOffset: number;
  #isr: readonly number[];
  #replicas: readonly number[];
  #followers = new Map<number, FollowerState>();
  #minInsyncReplicas = 1;
  #localEndOffset: number;
  #highWatermark: number;

  constructor(init: {
    localId: number;
    assignment: Assignment;
    localEndOffset: number;
    /** Log end now, if more than what counts as the leader's own end. */
    epochStartOffset?: number;
    highWatermark: number;
    minInsyncReplicas: number;
  }) {
    assert(
      init.assignment.leaderId === init.localId,
      'a leader state is made of an assignment that names this node',
    );
    this.localId = init.localId;
    this.leaderEpoch = init.assignment.leaderEpoch;
    this.epochStartOffset = init.epochStartOffset ?? init.localEndOffset;
    this.#isr = init.assignment.isr;
    this.#replicas = init.assignment.replicas;
    this.#localEndOffset = init.localEndOffset;
    this.#highWatermark = Math.min(init.highWatermark, init.localEndOffset);
    this.#minInsyncReplicas = init.minInsyncReplicas;
    this.#updateFollowers();
    this.#advance();
  }

  /** Offset below which every in-sync replica has everything. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** The leader's own end, as far as it counts (log end, or flushed end where every record is flushed). */
  get localEndOffset(): number {
    return this.#localEndOffset;
  }

  /** In-sync replicas, the leader among them. */
  get isr(): readonly number[] {
    return this.#isr;
  }

  /** min.insync.replicas, as far as there are so many replicas at all. */
  get effectiveMinInsyncReplicas(): number {
    return Math.min(this.#minInsyncReplicas, this.#replicas.length);
  }

  /** True if an append with acks=all may be accepted. */
  get enoughInSync(): boolean {
    return this.#isr.length >= this.effectiveMinInsyncReplicas;
  }

  /** The controller changed replicas or ISR within the same leader epoch. Returns true if the high watermark moved. */
  assigned(assignment: Assignment): boolean {
    assert(assignment.leaderEpoch === this.leaderEpoch, 'another leader epoch needs a new leader state');
    this.#isr = assignment.isr;
    this.#replicas = assignment.replicas;
    this.#updateFollowers();
    return this.#advance();
  }

  /** The topic's `min.insync.replicas` changed. Returns true if the high watermark moved. */
  minInsyncReplicasChanged(minInsyncReplicas: number): boolean {
    this.#minInsyncReplicas = minInsyncReplicas;
    return this.#advance();
  }

  /** The leader's own end grew to `endOffset`. Returns true if the high watermark moved. */
  localEndAdvanced(endOffset: number): boolean {
    if (endOffset <= this.#localEndOffset) return false;
    this.#localEndOffset = endOffset;
    return this.#advance();
  }

  /** A follower fetched at `fetchOffset`: it has everything below. Returns true if the high watermark moved. */
  followerFetched(replicaId: number, fetchOffset: number): boolean {
    const follower = this.#followers.get(replicaId);
    if (follower === undefined || fetchOffset <= follower.endOffset) return false;
    follower.endOffset = fetchOffset;
    return this.#advance();
  }

  /** Asserts what must hold between two facts. */
  checkInvariants(): void {
    assert(this.#highWatermark <= this.#localEndOffset, 'the high watermark is not above the leader end');
    assert(this.#highWatermark >= 0, 'the high watermark is an offset');
  }

  #updateFollowers(): void {
    const followers = new Map<number, FollowerState>();
    for (const id of this.#replicas) {
      if (id !== this.localId) followers.set(id, this.#followers.get(id) ?? { endOffset: -1 });
    }
    this.#followers = followers;
  }

  #advance(): boolean {
    if (!this.enoughInSync) return false;
    let least = this.#localEndOffset;
    for (const id of this.#isr) {
      if (id !== this.localId) least = Math.min(least, this.#followers.get(id)?.endOffset ?? -1);
    }
    if (least <= this.#highWatermark) return false;
    this.#highWatermark = least;
    return true;
  }
}
