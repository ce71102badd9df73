import { ErrorCode } from '../../src/base/errors.ts';
import { FETCH } from '../../src/client/apis.ts';
import type { World } from '../world.ts';
import { type FoundRecord, parseBatches } from './batches.ts';
import { Peer, type PeerPorts } from './peer.ts';

const RETRY_MS = 25;
const FETCH_BYTES = 1 << 20;
/** Highest version that names topics by name. */
const FETCH_VERSION = 12;

/** Reads one partition from its start to the high watermark, once. */
export class AuditActor {
  readonly #world: World;
  readonly #peer: Peer;
  readonly #at: { readonly topic: string; readonly partition: number };
  readonly #done: (records: readonly FoundRecord[]) => void;
  readonly #records: FoundRecord[] = [];
  #offset = 0;

  constructor(
    world: World,
    ports: PeerPorts,
    at: { topic: string; partition: number },
    done: (records: readonly FoundRecord[]) => void,
  ) {
    this.#world = world;
    this.#at = at;
    this.#done = done;
    this.#peer = new Peer('auditor', ports, () => this.#ask());
    this.#peer.start();
  }

  /** Ends its connection. */
  stop(): void {
    this.#peer.stop();
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
        if (partition?.errorCode !== ErrorCode.NONE) return this.#peer.later(RETRY_MS, () => this.#ask());
        const parsed = parseBatches(
          partition.records ?? Buffer.alloc(0),
          this.#offset,
          this.#peer.ports.compute,
        );
        if (parsed.problem !== null) {
          this.#world.emit({
            kind: 'unsound',
            partition: `${this.#at.topic}-${this.#at.partition}`,
            detail: parsed.problem,
          });
        }
        this.#records.push(...parsed.records);
        this.#offset = parsed.nextOffset;
        if (this.#offset >= partition.highWatermark) return this.#done(this.#records);
        return this.#ask();
      },
    );
  }
}
