import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { INIT_PRODUCER_ID, PRODUCE } from '../../src/client/apis.ts';
import { buildBatch, buildCompressedBatch, type RecordInput } from '../../src/records/builder.ts';
import { recordKey } from '../events.ts';
import type { ProducerPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import { Peer, type PeerPorts } from './peer.ts';
import type { TopicFacts } from './topic-facts.ts';

interface Batch {
  readonly firstNumber: number;
  readonly count: number;
  readonly records: readonly RecordInput[];
  baseSequence: number;
  /** Answered in the present round with an error, or lost with its connection: to be sent again, or given up. */
  state: 'waiting' | 'sent' | 'failed';
}

const NO_PRODUCER = { id: -1, epoch: -1 };
const RETRY_MS = 15;

/**
 * Writes numbered records to one partition. With idempotence it keeps sending a batch until it knows its fate, in the order of the numbers and
 * with the same sequence; without, a batch whose fate is unknown is given up, as a producer without retries does.
 */
export class ProducerActor {
  readonly plan: ProducerPlan;
  readonly #world: World;
  readonly #peer: Peer;
  readonly #topic: TopicFacts;
  #producer = NO_PRODUCER;
  #nextNumber = 0;
  #nextSequence = 0;
  /** Oldest first; what was acknowledged or given up is gone. */
  #batches: Batch[] = [];
  #identifying = false;
  #draining = false;
  #tickPlanned = false;

  constructor(plan: ProducerPlan, world: World, ports: PeerPorts, topic: TopicFacts) {
    this.plan = plan;
    this.#world = world;
    this.#topic = topic;
    this.#peer = new Peer(`producer-${plan.id}`, ports, () => this.#tick());
  }

  /** Begins to write. */
  start(): void {
    this.#peer.start();
    this.#tick();
  }

  /** Writes nothing new; what is under way is finished. */
  drain(): void {
    this.#draining = true;
  }

  /** True once nothing is under way. */
  get drained(): boolean {
    return this.#draining && this.#batches.length === 0;
  }

  /** Ends it as it is. */
  stop(): void {
    this.#peer.stop();
  }

  /** Name of the host it runs on. */
  get host(): string {
    return this.#peer.ports.host;
  }

  /** Loses the connection. */
  dropConnection(): void {
    this.#peer.drop();
  }

  #planTick(ms: number): void {
    if (this.#tickPlanned) return;
    this.#tickPlanned = true;
    this.#peer.later(ms, () => {
      this.#tickPlanned = false;
      this.#tick();
    });
  }

  #tick(): void {
    this.#planTick(this.plan.pauseMs);
    if (this.plan.idempotent && this.#producer.id < 0) return this.#identify();
    // A round ends when everything sent has its outcome; only then is it known what must be sent again, and in which order.
    if (this.#batches.some((batch) => batch.state === 'failed')) {
      if (this.#batches.some((batch) => batch.state === 'sent')) return;
      this.#settleFailures();
    }
    const inFlight = this.#batches.filter((batch) => batch.state === 'sent').length;
    for (const batch of this.#batches
      .filter(({ state }) => state === 'waiting')
      .slice(0, this.plan.maxInFlight - inFlight)) {
      if (!this.#send(batch)) return;
    }
    if (!this.#draining && this.#batches.length < this.plan.maxInFlight) this.#send(this.#makeBatch());
  }

  #settleFailures(): void {
    if (!this.plan.idempotent) return this.#abandonAll();
    for (const batch of this.#batches) batch.state = 'waiting';
  }

  /** Nothing under way is sent again: its fate is unknown and stays so. An idempotent producer starts over under a new id. */
  #abandonAll(): void {
    for (const batch of this.#batches) {
      for (let i = 0; i < batch.count; i++) {
        this.#world.emit({
          kind: 'abandoned',
          partition: this.#partition,
          record: { producer: this.plan.id, number: batch.firstNumber + i },
        });
      }
    }
    this.#batches = [];
    this.#producer = NO_PRODUCER;
    this.#nextSequence = 0;
  }

  #identify(): void {
    if (this.#identifying) return;
    const sent = this.#peer.send(
      INIT_PRODUCER_ID,
      () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
      {},
      (response) => {
        this.#identifying = false;
        if (response !== null && response.errorCode === ErrorCode.NONE) {
          this.#producer = { id: response.producerId, epoch: response.producerEpoch };
        }
        this.#planTick(RETRY_MS);
      },
    );
    this.#identifying = sent;
  }

  #makeBatch(): Batch {
    const { random, clock } = this.#peer.ports;
    const count = random.between(1, this.plan.batchRecords);
    const records: RecordInput[] = [];
    for (let i = 0; i < count; i++) {
      records.push({
        key: Buffer.from(recordKey({ producer: this.plan.id, number: this.#nextNumber + i })),
        value: random.bytes(random.below(this.plan.valueBytes + 1)),
        timestampMs: clock.wallMs(),
      });
    }
    const batch: Batch = {
      firstNumber: this.#nextNumber,
      count,
      records,
      baseSequence: this.#nextSequence,
      state: 'waiting',
    };
    this.#batches.push(batch);
    this.#nextNumber += count;
    this.#nextSequence += count;
    return batch;
  }

  #send(batch: Batch): boolean {
    const bytes = this.#encode(batch);
    const { acks } = this.plan;
    const sent = this.#peer.send(
      PRODUCE,
      () => ({
        transactionalId: null,
        acks,
        timeoutMs: 1_000,
        topicData: [
          {
            name: this.plan.topic,
            topicId: this.#topic.topicId,
            partitionData: [{ index: this.plan.partition, records: bytes }],
          },
        ],
      }),
      { maxVersion: this.plan.produceVersion, answered: acks !== 0 },
      (response) => {
        if (acks === 0) return this.#forget(batch);
        const partition = response?.responses[0]?.partitionResponses[0];
        this.#onOutcome(batch, partition?.errorCode ?? null, partition?.baseOffset ?? -1);
      },
    );
    if (sent && this.#batches.includes(batch)) batch.state = 'sent';
    return sent;
  }

  #encode(batch: Batch): Buffer {
    const { compute } = this.#peer.ports;
    const input = this.plan.idempotent
      ? {
          records: batch.records,
          producerId: this.#producer.id,
          producerEpoch: this.#producer.epoch,
          baseSequence: batch.baseSequence,
        }
      : { records: batch.records };
    if (this.plan.codec === 0) return buildBatch(input, compute);
    let built: Buffer | null = null;
    buildCompressedBatch(input, { codec: this.plan.codec, level: null }, compute, (error, bytes) => {
      if (error !== null) throw error;
      built = bytes;
    });
    if (built === null) throw new Error('the virtual compute answers before it returns');
    return built;
  }

  /** With acks 0 nobody will say what became of it. */
  #forget(batch: Batch): void {
    this.#batches = this.#batches.filter((other) => other !== batch);
    for (let i = 0; i < batch.count; i++) {
      const record = { producer: this.plan.id, number: batch.firstNumber + i };
      this.#world.emit({ kind: 'abandoned', partition: this.#partition, record });
    }
  }

  #onOutcome(batch: Batch, errorCode: number | null, baseOffset: number): void {
    if (!this.#batches.includes(batch)) return;
    if (errorCode === ErrorCode.NONE) {
      this.#batches = this.#batches.filter((other) => other !== batch);
      if (baseOffset >= 0) this.#acknowledged(batch, baseOffset);
      return;
    }
    const what = errorCode === null ? 'lost its connection' : errorName(errorCode);
    this.#world.note(`producer-${this.plan.id} ${batch.firstNumber}+${batch.count}: ${what}`);
    batch.state = 'failed';
    // The broker does not know the sequence before the oldest batch: it lost what came before. Nothing else can be told.
    const oldest = this.#batches[0] === batch;
    if (
      oldest &&
      (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ||
        errorCode === ErrorCode.INVALID_PRODUCER_EPOCH ||
        errorCode === ErrorCode.UNKNOWN_PRODUCER_ID)
    ) {
      this.#abandonAll();
    }
    this.#planTick(RETRY_MS);
  }

  #acknowledged(batch: Batch, baseOffset: number): void {
    // Only acks=all waits for the flushed end.
    const durable = this.#topic.durable && this.plan.acks === -1;
    for (let i = 0; i < batch.count; i++) {
      const record = { producer: this.plan.id, number: batch.firstNumber + i };
      this.#world.emit({
        kind: 'acknowledged',
        partition: this.#partition,
        offset: baseOffset + i,
        record,
        durable,
      });
    }
  }

  get #partition(): string {
    return `${this.#topic.label}-${this.plan.partition}`;
  }
}
