import { ErrorCode } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { type ApiError, apiError } from './controller-request.ts';

/** A broker that replicas can be placed on. */
export interface UsableBroker {
  readonly id: number;
  readonly rack: string | null;
  readonly fenced: boolean;
}

/**
 * Places the replicas of `partitionCount` new partitions in stripes: racks take turns, and within a rack its brokers take turns, each
 * from a random start. The next partition starts one rack and one broker further. So leaders and replicas spread evenly over
 * racks and brokers, and the replicas of a partition over as many racks as there are. Fenced brokers come only when a rack has no others left,
 * and never first. After as many partitions as there are unfenced brokers all is shuffled, so that the same sets do not come again and again.
 *
 *     racks A, B, C with 3 brokers each, replication factor 3:   A0 B0 C0 · B1 C1 A1 · C2 A2 B2
 *
 * Returns a list of broker ids per partition, the first being the preferred leader.
 */
export function placeReplicas(
  brokers: readonly UsableBroker[],
  partitionCount: number,
  replicationFactor: number,
  random: Random,
): number[][] | ApiError {
  const unfencedCount = brokers.filter((broker) => !broker.fenced).length;
  if (unfencedCount === 0) return unreachableFactor('All brokers are currently fenced.');
  if (replicationFactor > brokers.length) {
    return unreachableFactor(
      `The target replication factor of ${replicationFactor} cannot be reached because only ${brokers.length} broker(s) are registered.`,
    );
  }
  const stripes = new Stripes(brokers, random);
  const placements: number[][] = [];
  for (let i = 0; i < partitionCount; i++) {
    if (i > 0 && i % unfencedCount === 0) stripes.shuffle();
    placements.push(stripes.next(replicationFactor));
  }
  return placements;
}

function unreachableFactor(why: string): ApiError {
  return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, why);
}

interface Rack {
  readonly unfenced: number[];
  readonly fenced: number[];
}

class Stripes {
  readonly #racks: Rack[];
  readonly #random: Random;
  /** Partitions placed since the last shuffle: how far racks and brokers have moved on. */
  #turn = 0;

  constructor(brokers: readonly UsableBroker[], random: Random) {
    const byRack = new Map<string | null, Rack>();
    // In order of id, so that the same cluster and the same random numbers give the same placement.
    for (const broker of [...brokers].sort((a, b) => a.id - b.id)) {
      const rack = byRack.get(broker.rack) ?? { unfenced: [], fenced: [] };
      byRack.set(broker.rack, rack);
      (broker.fenced ? rack.fenced : rack.unfenced).push(broker.id);
    }
    this.#racks = [...byRack.values()];
    this.#random = random;
    this.shuffle();
  }

  shuffle(): void {
    this.#turn = 0;
    shuffle(this.#racks, this.#random);
    for (const rack of this.#racks) {
      shuffle(rack.unfenced, this.#random);
      shuffle(rack.fenced, this.#random);
    }
  }

  /** Replicas of the next partition. There are at least `count` brokers, and one that is not fenced. */
  next(count: number): number[] {
    const turn = this.#turn++;
    const racks = this.#racks.map((_, i) => this.#racks[(i + turn) % this.#racks.length] as Rack);
    const remaining = racks.map((rack) => [...rotated(rack.unfenced, turn), ...rotated(rack.fenced, turn)]);
    const leaderRack = racks.findIndex((rack) => rack.unfenced.length > 0);
    const replicas = [remaining[leaderRack]?.shift() as number];
    for (let at = leaderRack + 1; replicas.length < count; at++) {
      const broker = remaining[at % racks.length]?.shift();
      if (broker !== undefined) replicas.push(broker);
    }
    return replicas;
  }
}

function rotated(list: readonly number[], by: number): number[] {
  const start = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function shuffle<T>(list: T[], random: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
}
