import { Producer } from '../../src/client/producer.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';
import { numberedValue } from '../harness/numbered-records.ts';
import { realPorts } from '../harness/own-client.ts';

/** How one producer writes, alone, to a partition of its own. */
export interface WriterPlan {
  readonly topic: string;
  readonly partition: number;
  readonly acks: -1 | 1;
  readonly idempotent: boolean;
  readonly compression: CompressionCodec;
  /** Records under way at most. */
  readonly window: number;
}

/** Writes numbered records through everything that happens to the broker, and remembers what was acknowledged. */
export class Writer {
  readonly plan: WriterPlan;
  /** Number of the record by the offset that it was acknowledged at; what was verified is taken out. */
  readonly acknowledged = new Map<number, number>();
  acknowledgedCount = 0;
  /** The first record that failed for good: none may. */
  failure: Error | null = null;
  readonly #ports = realPorts();
  readonly #producer: Producer;
  #next = 0;
  #underWay = 0;
  #stopped = false;
  #drained: (() => void) | null = null;

  constructor(plan: WriterPlan, bootstrap: string) {
    this.plan = plan;
    this.#producer = new Producer(this.#ports.ports, {
      bootstrap: [bootstrap],
      acks: plan.acks,
      idempotent: plan.idempotent,
      compression: plan.compression,
      batchBytes: 16_384,
      lingerMs: 2,
      requestTimeoutMs: 5_000,
      deliveryTimeoutMs: 600_000,
      createTopics: false,
    });
  }

  /** Writes until `stop`. */
  start(): void {
    this.#give();
  }

  #give(): void {
    const { topic, partition, window } = this.plan;
    while (!this.#stopped && this.failure === null && this.#underWay < window) {
      const number = this.#next++;
      this.#underWay++;
      this.#producer.produce({ topic, partition, value: numberedValue(number) }, (error, offset) => {
        this.#underWay--;
        if (error !== null) {
          this.failure ??= error;
        } else {
          this.acknowledgedCount++;
          // A duplicate that the broker no longer remembers has no offset.
          if (offset >= 0) this.acknowledged.set(offset, number);
        }
        if (this.#underWay === 0) this.#drained?.();
        this.#give();
      });
    }
  }

  /** Writes nothing new, and waits until all that is under way is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    this.#producer.close();
    await this.#ports.close();
  }
}
