/**
 * Writes records: each goes to a partition, waits there for company until its batch is full or has lingered long enough, and is
 * acknowledged with its offset. Records of one partition are appended in the order they were given, and with `idempotent` (the
 * default) exactly once however often they had to be sent.
 */
import { assert } from '../base/assert.ts';
import { ErrorCode, isRetriable } from '../base/errors.ts';
import type { TimerHandle } from '../io/clock.ts';
import type { CompressionCodec } from '../io/compute.ts';
import type { RecordInput } from '../records/builder.ts';
import { brokerAnswer, ClientError } from './client-error.ts';
import { type ClientOptions, type ClientPorts, Cluster } from './cluster.ts';
import type { TopicInfo } from './metadata.ts';
import { PartitionQueue, type QueueLimits } from './partition-queue.ts';
import { partitionOfKey, StickyPartitioner } from './partitioner.ts';
import { ProducerIdentity } from './producer-identity.ts';
import { type Batch, ProducerSender, type Queue } from './producer-sender.ts';

/** How a producer behaves; what is left out takes the value named here. */
export interface ProducerOptions extends ClientOptions {
  /** -1 (default): acknowledged when every in-sync replica has it; 1: when the leader has it; 0: never. */
  readonly acks?: -1 | 0 | 1;
  /** Default true with `acks` -1, else impossible. */
  readonly idempotent?: boolean;
  readonly compression?: CompressionCodec;
  /** Size at which a batch is closed, before compression; default 128 KiB. */
  readonly batchBytes?: number;
  /** How long a batch waits for more records; default 5 ms. */
  readonly lingerMs?: number;
  /** Produce requests in flight to one broker, 1..5; default 5, and 1 without idempotence, which keeps the order. */
  readonly maxInFlight?: number;
  /** Bytes of one request; default 1 MiB. */
  readonly maxRequestBytes?: number;
  /** Bytes of records that may be under way in all; default 64 MiB. */
  readonly maxBufferedBytes?: number;
  /** Default two minutes. */
  readonly deliveryTimeoutMs?: number;
  /** Whether topics that are not there may be created by the broker; default true. */
  readonly createTopics?: boolean;
}

/** A record to be written. */
export interface ProducerRecord {
  readonly topic: string;
  /** Left out: by the key's hash, or any when there is no key. */
  readonly partition?: number;
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: readonly { readonly key: string; readonly value: Buffer | null }[];
  /** Default: now. */
  readonly timestampMs?: number;
}

/** Where an acknowledged record went. */
export interface RecordAddress {
  /** -1 when the broker did not say (acks 0, or a duplicate that it no longer remembers). */
  readonly offset: number;
  /** The record's timestamp in the log. */
  readonly timestampMs: number;
}

/** Called once per record, in a later turn; `error` null when it was acknowledged. */
export type DeliveryDone = (error: ClientError | null, offset: number, timestampMs: number) => void;

/** A record whose topic is not known yet. */
interface Unplaced {
  readonly record: ProducerRecord;
  readonly input: RecordInput;
  readonly sizeBytes: number;
  readonly givenMs: number;
  readonly done: DeliveryDone;
}

/** Bytes of a record besides key, value and headers, at most (formats §5). */
const MAX_RECORD_OVERHEAD_BYTES = 21;

/** See the head of the file. */
export class Producer {
  readonly #cluster: Cluster;
  readonly #identity: ProducerIdentity;
  readonly #sender: ProducerSender;
  readonly #sticky: StickyPartitioner;
  readonly #limits: QueueLimits;
  readonly #maxBufferedBytes: number;
  readonly #deliveryTimeoutMs: number;
  readonly #createTopics: boolean;
  /** By `topic-partition`, every one that a record went to: they hold the sequences. */
  readonly #queues = new Map<string, Queue>();
  /** By topic. */
  readonly #unplaced = new Map<string, Unplaced[]>();
  readonly #staleTopics = new Set<string>();
  #refreshing = false;
  /** No metadata and no producer id is asked for before this monotonic time. */
  #nextAskMs = 0;
  #bufferedBytes = 0;
  #outstanding = 0;
  #flushWaiters: (() => void)[] = [];
  #timer: TimerHandle | null = null;
  #timerMs = Number.POSITIVE_INFINITY;
  #woken = false;
  #closed = false;

  constructor(ports: ClientPorts, options: ProducerOptions) {
    const acks = options.acks ?? -1;
    const idempotent = options.idempotent ?? acks === -1;
    assert(!idempotent || acks === -1, 'an idempotent producer needs acks -1');
    const maxInFlight = options.maxInFlight ?? (idempotent ? 5 : 1);
    assert(maxInFlight >= 1 && maxInFlight <= 5, 'a broker remembers five batches of a producer');
    this.#cluster = new Cluster(ports, options);
    this.#identity = new ProducerIdentity(this.#cluster, idempotent);
    this.#sticky = new StickyPartitioner(ports.random);
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 64 * 1024 * 1024;
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs ?? 120_000;
    this.#createTopics = options.createTopics ?? true;
    this.#limits = {
      batchBytes: options.batchBytes ?? 128 * 1024,
      lingerMs: options.lingerMs ?? 5,
      maxInFlight,
    };
    this.#sender = new ProducerSender(
      this.#cluster,
      this.#identity,
      {
        acks,
        compression: options.compression ?? 0,
        maxInFlight,
        maxRequestBytes: options.maxRequestBytes ?? 1024 * 1024,
        deliveryTimeoutMs: this.#deliveryTimeoutMs,
      },
      {
        isFlushing: () => this.#flushWaiters.length > 0,
        wake: () => this.#wake(),
        metadataNeeded: (topic) => this.#staleTopics.add(topic),
        finished: (batch, error, offset, timeMs) => this.#finished(batch, error, offset, timeMs),
      },
    );
  }

  /** Records that are neither acknowledged nor failed. */
  get outstandingCount(): number {
    return this.#outstanding;
  }

  /** Bytes that may still be given before `produce` refuses. */
  get roomBytes(): number {
    return this.#maxBufferedBytes - this.#bufferedBytes;
  }

  /** Producer id in use, -1 for none. */
  get producerId(): number {
    return this.#identity.producerId;
  }

  /** Gives a record on its way; its bytes belong to the producer until `done`. A record past `maxBufferedBytes` is refused (`BUFFER_FULL`). */
  produce(record: ProducerRecord, done: DeliveryDone): void {
    const input = toInput(record, this.#cluster.ports.clock.wallMs());
    const sizeBytes = sizeOf(input);
    const refusal = this.#refusal(sizeBytes);
    if (refusal !== null) {
      this.#cluster.ports.clock.defer(() => done(refusal, -1, -1));
      return;
    }
    this.#bufferedBytes += sizeBytes;
    this.#outstanding++;
    const givenMs = this.#cluster.ports.clock.monotonicMs();
    const unplaced: Unplaced = { record, input, sizeBytes, givenMs, done };
    const topic = this.#cluster.metadata.topic(record.topic);
    const waiting = this.#unplaced.get(record.topic);
    if (waiting === undefined && topic !== undefined && isUsable(topic)) {
      this.#place(unplaced, topic);
    } else if (waiting === undefined) {
      this.#unplaced.set(record.topic, [unplaced]);
      this.#staleTopics.add(record.topic);
    } else {
      waiting.push(unplaced);
    }
    this.#wake();
  }

  /** As `produce`. @throws ClientError when the record was not acknowledged. */
  send(record: ProducerRecord): Promise<RecordAddress> {
    return new Promise((resolve, reject) => {
      this.produce(record, (error, offset, timestampMs) => {
        if (error === null) resolve({ offset, timestampMs });
        else reject(error);
      });
    });
  }

  /** Sends without lingering; `done` is called once nothing is outstanding any more. */
  flush(done: () => void): void {
    if (this.#outstanding === 0) {
      this.#cluster.ports.clock.defer(done);
      return;
    }
    this.#flushWaiters.push(done);
    this.#wake();
  }

  /** As `flush`. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.flush(resolve);
    });
  }

  /** Closes at once; what is outstanding fails. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) this.#cluster.ports.clock.cancel(this.#timer);
    this.#timer = null;
    this.#cluster.close();
    const error = new ClientError('CLOSED', 'the producer was closed');
    for (const queue of this.#queues.values()) {
      for (const batch of queue.all()) {
        queue.drop(batch);
        this.#finished(batch, error, -1, -1);
      }
    }
    for (const topic of this.#unplaced.keys()) this.#failUnplaced(topic, error);
  }

  #refusal(sizeBytes: number): ClientError | null {
    if (this.#closed) return new ClientError('CLOSED', 'the producer is closed');
    if (this.#outstanding === 0 || this.#bufferedBytes + sizeBytes <= this.#maxBufferedBytes) return null;
    return new ClientError('BUFFER_FULL', `${this.#bufferedBytes} bytes wait to be acknowledged already`);
  }

  #place(unplaced: Unplaced, topic: TopicInfo): void {
    const { record, input, sizeBytes, done } = unplaced;
    const count = topic.partitions.length;
    const sticks = record.partition === undefined && input.key === null;
    let partition = record.partition;
    if (partition === undefined) {
      partition =
        input.key === null ? this.#sticky.partition(topic.name, count) : partitionOfKey(input.key, count);
    }
    if (partition < 0 || partition >= count) {
      const text = `${topic.name} has partitions 0..${count - 1}, not ${partition}`;
      const error = new ClientError('BROKER_ANSWER', text, {
        errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      });
      this.#cluster.ports.clock.defer(() => this.#recordFinished(sizeBytes, done, error));
      return;
    }
    const key = `${topic.name}-${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new PartitionQueue(topic.name, partition, this.#limits);
      this.#queues.set(key, queue);
    }
    const closed = queue.append(input, sizeBytes, unplaced.givenMs, (error, offset, timestampMs) =>
      this.#recordFinished(sizeBytes, done, error, offset, timestampMs),
    );
    if (closed && sticks) this.#sticky.onBatchClosed(topic.name, partition, count);
  }

  #recordFinished(
    sizeBytes: number,
    done: DeliveryDone,
    error: ClientError | null,
    offset = -1,
    timestampMs = -1,
  ): void {
    this.#bufferedBytes -= sizeBytes;
    this.#outstanding--;
    done(error, offset, timestampMs);
  }

  #finished(batch: Batch, error: ClientError | null, offset: number, logAppendTimeMs: number): void {
    for (let i = 0; i < batch.dones.length; i++) {
      const timestampMs = logAppendTimeMs >= 0 ? logAppendTimeMs : (batch.records[i]?.timestampMs ?? -1);
      batch.dones[i]?.(error, offset < 0 ? -1 : offset + i, timestampMs);
    }
  }

  #failUnplaced(topic: string, error: ClientError): void {
    const records = this.#unplaced.get(topic) ?? [];
    this.#unplaced.delete(topic);
    for (const { sizeBytes, done } of records) this.#recordFinished(sizeBytes, done, error);
  }

  /** Has `#run` called in a later turn, once. */
  #wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    this.#cluster.ports.clock.defer(() => {
      this.#woken = false;
      if (!this.#closed) this.#run();
    });
  }

  #run(): void {
    const nowMs = this.#cluster.ports.clock.monotonicMs();
    this.#expireUnplaced(nowMs);
    this.#refreshIfNeeded(nowMs);
    this.#sender.expire(this.#queues.values(), nowMs);
    if (this.#queues.size > 0) this.#renewIdentity(nowMs);
    if (this.#identity.usable) this.#sender.pump(this.#queues.values(), nowMs);
    if (this.#outstanding === 0) for (const done of this.#flushWaiters.splice(0)) done();
    this.#arm(nowMs);
  }

  #expireUnplaced(nowMs: number): void {
    for (const [topic, records] of this.#unplaced) {
      while (records.length > 0 && nowMs >= (records[0] as Unplaced).givenMs + this.#deliveryTimeoutMs) {
        const { sizeBytes, done } = records.shift() as Unplaced;
        const text = `topic ${topic} could not be found within ${this.#deliveryTimeoutMs} ms`;
        this.#recordFinished(sizeBytes, done, new ClientError('DELIVERY_TIMEOUT', text));
      }
      if (records.length === 0) this.#unplaced.delete(topic);
    }
  }

  #refreshIfNeeded(nowMs: number): void {
    for (const topic of this.#unplaced.keys()) this.#staleTopics.add(topic);
    if (this.#staleTopics.size === 0 || this.#refreshing || nowMs < this.#nextAskMs) return;
    const topics = [...this.#staleTopics];
    this.#staleTopics.clear();
    this.#refreshing = true;
    this.#cluster.refresh(topics, this.#createTopics, (error) => {
      this.#refreshing = false;
      if (this.#closed) return;
      this.#backOff();
      for (const topic of topics) {
        if (error === null) this.#onTopic(topic);
        else if (error.retriable) this.#staleTopics.add(topic);
        else this.#failUnplaced(topic, error);
      }
      this.#wake();
    });
  }

  #onTopic(name: string): void {
    const topic = this.#cluster.metadata.topic(name);
    if (topic === undefined || !this.#unplaced.has(name)) return;
    if (isUsable(topic)) {
      const records = this.#unplaced.get(name) ?? [];
      this.#unplaced.delete(name);
      for (const unplaced of records) this.#place(unplaced, topic);
    } else if (topic.errorCode !== 0 && !isRetriable(topic.errorCode)) {
      this.#failUnplaced(name, brokerAnswer(`topic ${name}`, topic.errorCode));
    }
  }

  /** Asks for a producer id when there is none, or when the old one is lost and nothing sent under it is in flight any more. */
  #renewIdentity(nowMs: number): void {
    if (this.#identity.usable || this.#sender.requestCount > 0 || nowMs < this.#nextAskMs) return;
    const wasLost = this.#identity.lost;
    this.#identity.acquire((error) => {
      if (this.#closed) return;
      if (error !== null) this.#backOff();
      if (error !== null && !error.retriable) this.#failEverything(error);
      if (error === null && wasLost) this.#startOver();
      this.#wake();
    });
  }

  /** What the broker may hold under the old id cannot be sent under the new one without the risk of a duplicate. */
  #startOver(): void {
    for (const queue of this.#queues.values()) {
      for (const batch of queue.uncertain()) {
        queue.drop(batch);
        const text = `records for ${queue.topic}-${queue.partition} may or may not have been written`;
        this.#finished(batch, new ClientError('DELIVERY_TIMEOUT', text), -1, -1);
      }
      queue.restartSequences();
    }
  }

  #failEverything(error: ClientError): void {
    for (const queue of this.#queues.values()) {
      for (const batch of queue.all()) {
        queue.drop(batch);
        this.#finished(batch, error, -1, -1);
      }
    }
  }

  #backOff(): void {
    this.#nextAskMs = this.#cluster.ports.clock.monotonicMs() + this.#cluster.retryBackoffMs;
  }

  /** Has `#run` called when the next deadline passes. */
  #arm(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) {
      const head = queue.head;
      if (head === undefined) continue;
      const readyMs = queue.readyAtMs(head, this.#flushWaiters.length > 0);
      // A head that is ready waits for an answer, which wakes us, or for metadata.
      if (readyMs > nowMs) nextMs = Math.min(nextMs, readyMs);
      nextMs = Math.min(nextMs, head.createdMs + this.#deliveryTimeoutMs);
    }
    for (const records of this.#unplaced.values()) {
      nextMs = Math.min(nextMs, (records[0]?.givenMs ?? nowMs) + this.#deliveryTimeoutMs);
    }
    const asks = this.#staleTopics.size > 0 || !this.#identity.usable;
    if (asks && this.#nextAskMs > nowMs) nextMs = Math.min(nextMs, this.#nextAskMs);
    if (nextMs === this.#timerMs && this.#timer !== null) return;
    if (this.#timer !== null) this.#cluster.ports.clock.cancel(this.#timer);
    this.#timer = null;
    this.#timerMs = nextMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#cluster.ports.clock.schedule(nextMs, () => {
      this.#timer = null;
      this.#wake();
    });
  }
}

function isUsable(topic: TopicInfo): boolean {
  return topic.errorCode === 0 && topic.partitions.length > 0;
}

function toInput(record: ProducerRecord, nowMs: number): RecordInput {
  return {
    key: toBytes(record.key ?? null),
    value: toBytes(record.value),
    headers: record.headers ?? [],
    timestampMs: record.timestampMs ?? nowMs,
  };
}

function toBytes(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function sizeOf(input: RecordInput): number {
  let size = MAX_RECORD_OVERHEAD_BYTES + (input.key?.length ?? 0) + (input.value?.length ?? 0);
  for (const { key, value } of input.headers ?? []) {
    size += 10 + Buffer.byteLength(key) + (value?.length ?? 0);
  }
  return size;
}
