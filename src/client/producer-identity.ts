import { ErrorCode } from '../base/errors.ts';
import { INIT_PRODUCER_ID } from './apis.ts';
import { brokerAnswer, ClientError } from './client-error.ts';
import type { Cluster } from './cluster.ts';

/**
 * Producer id and epoch of an idempotent producer: asked for before the first batch, and anew after the old one was lost, which
 * happens when the broker may or may not hold a batch that was given up.
 */
export class ProducerIdentity {
  /** False for a producer without an id: nothing is asked for, and batches have no sequences. */
  readonly idempotent: boolean;
  /** -1 while there is none. */
  producerId = -1;
  producerEpoch = -1;
  /** Why the last one cannot be used any more; null while it can. */
  #lostBecause: string | null = null;
  #asking = false;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, idempotent: boolean) {
    this.#cluster = cluster;
    this.idempotent = idempotent;
  }

  /** True when batches can be built and sent. */
  get usable(): boolean {
    return !this.idempotent || (this.producerId >= 0 && !this.lost);
  }

  /** True when the one it had must not be used any more. */
  get lost(): boolean {
    return this.#lostBecause !== null;
  }

  /** Gives up the id; nothing new is sent until there is another. */
  lose(because: string): void {
    this.#lostBecause ??= because;
  }

  /** Asks for an id, unless that is under way. `done` gets null when there is one. */
  acquire(done: (error: ClientError | null) => void): void {
    if (this.#asking) return;
    this.#asking = true;
    const request = { transactionalId: null, transactionTimeoutMs: 0x7fffffff };
    this.#cluster.send(
      'any',
      INIT_PRODUCER_ID,
      () => request,
      {},
      (answer) => {
        this.#asking = false;
        if (answer instanceof ClientError) {
          done(answer);
        } else if (answer.errorCode === ErrorCode.NONE) {
          this.producerId = answer.producerId;
          this.producerEpoch = answer.producerEpoch;
          this.#lostBecause = null;
          done(null);
        } else {
          done(brokerAnswer('InitProducerId', answer.errorCode));
        }
      },
    );
  }
}
