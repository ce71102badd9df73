import { ErrorCode } from '../../src/base/errors.ts';
import { FETCH, LIST_OFFSETS } from '../../src/client/apis.ts';
import type { World } from '../world.ts';
import { type FoundRecord, parseBatches } from './batches.ts';
import { Peer, type PeerPorts } from './peer.ts';

const RETRY_MS = 25;
const EARLIEST = -2;
/** Without acks=all an acknowledged record may still wait for its flush, and shows only then: the end is believed once it has not moved for so long. */
const QUIET_MS = 1_500;
const FETCH_BYTES = 1 << 20;
/** Highest version that names topics by name. */
const FETCH_VERSION = 12;

/** Reads one partition from its start to the high watermark, once; from the new start where retention moves it meanwhile. */
export class AuditActor {
  readonly #world: World;
  readonly #peer: Peer;
  readonly #at: { readonly topic: string; readonly partition: number; readonly label: string };
  readonly #done: (records: readonly FoundRecord[], start: number) => void;
  #records: FoundRecord[] = [];
  #start = 0;
  #offset = 0;
  #movedMs: number;

  constructor(
    world: World,
    ports: PeerPorts,
    at: { topic: string; partition: number; label: string },
    done: (records: readonly FoundRecord[], start: number) => void,
  ) {
    this.#world = world;
    this.#at = at;
    this.#done = done;
    this.#movedMs = ports.clock.monotonicMs();
    this.#peer = new Peer('auditor', ports, () => this.#begin());
    this.#peer.start();
  }

  /** Ends its connection. */
  stop(): void {
    this.#peer.stop();
  }

  #begin(): void {
    const { topic, partition } = this.#at;
    const request = {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: EARLIEST }] }],
    };
    this.#peer.send(
      LIST_OFFSETS,
      () => request,
      {},
      (response) => {
        const found = response?.topics[0]?.partitions[0];
        if (found?.errorCode !== ErrorCode.NONE) return this.#peer.later(RETRY_MS, () => this.#begin());
        this.#records = [];
        this.#start = found.offset;
        this.#offset = found.offset;
        return this.#ask();
      },
    );
  }

  #ask(): void {
    const partitions = [
      { partition: this.#at.partition, fetchOffset: this.#offset, partitionMaxBytes: FETCH_BYTES },
    ];
    const request = {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: FETCH_BYTES,
      topics: [{ topic: this.#at.topic, partitions }],
    };
    this.#peer.send(
      FETCH,
      () => request,
      { maxVersion: FETCH_VERSION },
      (response) => {
        const partition = response?.responses[0]?.partitions[0];
        if (partition?.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return this.#begin();
        if (partition?.errorCode !== ErrorCode.NONE) return this.#peer.later(RETRY_MS, () => this.#ask());
        const parsed = parseBatches(
          partition.records ?? Buffer.alloc(0),
          this.#offset,
          this.#peer.ports.compute,
        );
        if (parsed.problem !== null) {
          this.#world.emit({
            kind: 'unsound',
            partition: this.#at.label,
            detail: parsed.problem,
          });
        }
        this.#records.push(...parsed.records);
        const nowMs = this.#peer.ports.clock.monotonicMs();
        if (parsed.nextOffset > this.#offset) this.#movedMs = nowMs;
        this.#offset = parsed.nextOffset;
        if (this.#offset < partition.highWatermark) return this.#ask();
        if (nowMs - this.#movedMs > QUIET_MS) return this.#done(this.#records, this.#start);
        return this.#peer.later(RETRY_MS, () => this.#ask());
      },
    );
  }
}
