import type { Random } from '../base/random.ts';

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** murmur2 as Kafka's clients compute it for keys; signed 32-bit. Source: formats §18. */
export function murmur2(data: Buffer): number {
  const wholeBytes = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let i = 0; i < wholeBytes; i += 4) {
    let k = Math.imul(data.readInt32LE(i), M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const tailBytes = data.length - wholeBytes;
  if (tailBytes > 0) {
    hash ^= data.readUIntLE(wholeBytes, tailBytes);
    hash = Math.imul(hash, M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** The partition that every Kafka client gives a key. */
export function partitionOfKey(key: Buffer, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

/**
 * Partitions for records without a key: all go to one partition until its batch is closed, then to another, so that batches
 * fill up and the partitions even out.
 */
export class StickyPartitioner {
  readonly #random: Random;
  readonly #current = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Partition of the next record without a key. */
  partition(topic: string, partitionCount: number): number {
    let partition = this.#current.get(topic);
    if (partition === undefined || partition >= partitionCount) {
      partition = this.#random.below(partitionCount);
      this.#current.set(topic, partition);
    }
    return partition;
  }

  /** A batch was closed: the topic moves on to another partition when it stood on this one. */
  onBatchClosed(topic: string, partition: number, partitionCount: number): void {
    if (this.#current.get(topic) !== partition || partitionCount < 2) return;
    const step = 1 + this.#random.below(partitionCount - 1);
    this.#current.set(topic, (partition + step) % partitionCount);
  }
}
