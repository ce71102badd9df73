/**
 * Brings batches to their leaders: builds them, groups one per partition into a Produce request, keeps a bounded number of requests in
 * flight, and decides from each answer whether a batch is done, sent again or given up.
 */
import { assert } from '../base/assert.ts';
import { ErrorCode, errorName, invalidatesMetadata, isRetriable } from '../base/errors.ts';
import type { CompressionCodec } from '../io/compute.ts';
import type { ProduceResponse } from '../protocol/messages/produce.ts';
import { buildCompressedBatch } from '../records/builder.ts';
import { PRODUCE } from './apis.ts';
import { brokerAnswer, ClientError } from './client-error.ts';
import type { Cluster } from './cluster.ts';
import type { NOT_ANSWERED } from './connection.ts';
import type { PartitionQueue, ProducerBatch } from './partition-queue.ts';
import type { ProducerIdentity } from './producer-identity.ts';

/** How the sender behaves. */
export interface SenderSettings {
  /** 0: not answered; 1: the leader has it; -1: every in-sync replica has it. */
  readonly acks: -1 | 0 | 1;
  readonly compression: CompressionCodec;
  /** Produce requests in flight to one broker. */
  readonly maxInFlight: number;
  /** Bytes of batches in one request; a single batch may be larger. */
  readonly maxRequestBytes: number;
  /** A record that is not acknowledged this long after it was given fails. */
  readonly deliveryTimeoutMs: number;
}

/** What the sender tells its producer. */
export interface SenderOwner {
  /** True while open batches do not linger. */
  isFlushing(): boolean;
  /** Something changed: ask again soon whether something can be sent. */
  wake(): void;
  /** A leader is missing or not what it was. */
  metadataNeeded(topic: string): void;
  /** A batch has ended. `offset` is that of its first record, -1 if unknown; `logAppendTimeMs` is -1 when records keep their own. */
  finished(batch: Batch, error: ClientError | null, offset: number, logAppendTimeMs: number): void;
}

/** A batch of this client. */
export type Batch = ProducerBatch<ClientError>;
/** A partition's queue of this client. */
export type Queue = PartitionQueue<ClientError>;

interface Sent {
  readonly queue: Queue;
  readonly batch: Batch;
}

type Answer = ProduceResponse['responses'][number]['partitionResponses'][number];

/** See the head of the file. */
export class ProducerSender {
  readonly #cluster: Cluster;
  readonly #identity: ProducerIdentity;
  readonly #settings: SenderSettings;
  readonly #owner: SenderOwner;
  /** Queues whose head is being compressed. */
  readonly #building = new Set<Queue>();
  /** Requests in flight by broker id. */
  readonly #requests = new Map<number, number>();

  constructor(cluster: Cluster, identity: ProducerIdentity, settings: SenderSettings, owner: SenderOwner) {
    this.#cluster = cluster;
    this.#identity = identity;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Produce requests in flight to all brokers. */
  get requestCount(): number {
    let count = 0;
    for (const requests of this.#requests.values()) count += requests;
    return count;
  }

  /** Gives up what has waited too long. */
  expire(queues: Iterable<Queue>, nowMs: number): void {
    for (const queue of queues) this.#expire(queue, nowMs);
  }

  /** Sends all that may be sent now. The identity must be usable. */
  pump(queues: Iterable<Queue>, nowMs: number): void {
    const byLeader = new Map<number, Sent[]>();
    for (const queue of queues) {
      const batch = queue.sendable(nowMs, this.#owner.isFlushing());
      if (batch === null || this.#building.has(queue)) continue;
      if (batch.bytes === null) this.#build(queue, batch);
      if (batch.bytes === null) continue;
      const leader = this.#cluster.metadata.leader(queue.topic, queue.partition);
      if (leader < 0) {
        this.#owner.metadataNeeded(queue.topic);
        continue;
      }
      const sent = byLeader.get(leader);
      if (sent === undefined) byLeader.set(leader, [{ queue, batch }]);
      else sent.push({ queue, batch });
    }
    for (const [leader, ready] of byLeader) this.#sendTo(leader, ready);
  }

  #expire(queue: Queue, nowMs: number): void {
    for (;;) {
      const batch = queue.head;
      if (batch === undefined || nowMs < batch.createdMs + this.#settings.deliveryTimeoutMs) return;
      const { topic, partition } = queue;
      const text = `records for ${topic}-${partition} were not acknowledged within ${this.#settings.deliveryTimeoutMs} ms`;
      this.#giveUp({ queue, batch }, new ClientError('DELIVERY_TIMEOUT', text));
    }
  }

  #build(queue: Queue, batch: Batch): void {
    queue.prepareHead(batch, this.#identity.idempotent);
    const { producerId, producerEpoch } = this.#identity;
    const { baseSequence } = batch;
    const compression = { codec: this.#settings.compression, level: null };
    const input = { records: batch.records, producerId, producerEpoch, baseSequence };
    let inline = true;
    this.#building.add(queue);
    buildCompressedBatch(input, compression, this.#cluster.ports.compute, (error, bytes) => {
      this.#building.delete(queue);
      if (error !== null) {
        const text = `a batch for ${queue.topic}-${queue.partition} could not be compressed: ${error.message}`;
        this.#giveUp({ queue, batch }, new ClientError('COMPRESSION_FAILED', text, { cause: error }));
        return;
      }
      // While it was compressed the batch may have got another sequence, or have been given up.
      if (batch.baseSequence === baseSequence && this.#identity.producerId === producerId)
        batch.bytes = bytes;
      if (!inline) this.#owner.wake();
    });
    inline = false;
  }

  #sendTo(leader: number, ready: Sent[]): void {
    let next = 0;
    while (next < ready.length && (this.#requests.get(leader) ?? 0) < this.#settings.maxInFlight) {
      const group: Sent[] = [];
      let sizeBytes = 0;
      while (next < ready.length) {
        const sent = ready[next] as Sent;
        // An error that is known at once may have made the user close the producer.
        if (sent.queue.head !== sent.batch) {
          next++;
          continue;
        }
        const batchBytes = sent.batch.bytes?.length ?? 0;
        if (group.length > 0 && sizeBytes + batchBytes > this.#settings.maxRequestBytes) break;
        sizeBytes += batchBytes;
        group.push(sent);
        next++;
      }
      if (group.length > 0) this.#request(leader, group);
      // One more batch of the same partition may be allowed right now.
      this.#owner.wake();
    }
  }

  #request(leader: number, group: readonly Sent[]): void {
    for (const { queue } of group) queue.takeHead();
    this.#requests.set(leader, (this.#requests.get(leader) ?? 0) + 1);
    const { acks } = this.#settings;
    this.#cluster.send(
      leader,
      PRODUCE,
      () => ({
        acks,
        timeoutMs: this.#cluster.requestTimeoutMs,
        topicData: this.#topicData(group),
      }),
      { answered: acks !== 0, maxVersion: this.#highestVersion(group) },
      (answer) => {
        this.#requests.set(leader, (this.#requests.get(leader) ?? 1) - 1);
        this.#onAnswer(group, answer);
        this.#owner.wake();
      },
    );
  }

  /** From version 13 on topics go by id; one whose id is not known needs an earlier version. */
  #highestVersion(group: readonly Sent[]): number {
    const known = group.every(({ queue }) => this.#cluster.metadata.hasTopicId(queue.topic));
    return known ? Number.POSITIVE_INFINITY : 12;
  }

  #topicData(group: readonly Sent[]) {
    const topics = new Map<string, { index: number; records: Buffer }[]>();
    for (const { queue, batch } of group) {
      assert(batch.bytes !== null, 'a batch in flight is built');
      const data = { index: queue.partition, records: batch.bytes };
      const partitions = topics.get(queue.topic);
      if (partitions === undefined) topics.set(queue.topic, [data]);
      else partitions.push(data);
    }
    return [...topics].map(([name, partitionData]) => ({
      name,
      topicId: this.#cluster.metadata.topicId(name),
      partitionData,
    }));
  }

  #onAnswer(group: readonly Sent[], answer: ProduceResponse | ClientError | typeof NOT_ANSWERED): void {
    const answers = answer === undefined || answer instanceof ClientError ? null : this.#byPartition(answer);
    for (const sent of group) {
      const { topic, partition } = sent.queue;
      // A user who was told of the first batches may have closed the producer.
      if (!sent.queue.isInFlight(sent.batch)) continue;
      if (answers === null) {
        if (answer instanceof ClientError) this.#onFailedRequest(sent, answer);
        else this.#succeed(sent, -1, -1);
        continue;
      }
      const partitionAnswer = answers.get(`${topic}-${partition}`);
      if (partitionAnswer !== undefined) this.#onPartitionAnswer(sent, partitionAnswer);
      else this.#giveUp(sent, new ClientError('MALFORMED_RESPONSE', `no answer for ${topic}-${partition}`));
    }
  }

  #byPartition(answer: ProduceResponse): Map<string, Answer> {
    const answers = new Map<string, Answer>();
    for (const topic of answer.responses) {
      const name = topic.name === '' ? this.#cluster.metadata.nameOf(topic.topicId) : topic.name;
      for (const partition of topic.partitionResponses) answers.set(`${name}-${partition.index}`, partition);
    }
    return answers;
  }

  #onFailedRequest(sent: Sent, error: ClientError): void {
    this.#owner.metadataNeeded(sent.queue.topic);
    if (error.retriable) this.#tryAgain(sent, error.reason !== 'CONNECT_FAILED');
    else this.#giveUp(sent, error);
  }

  #onPartitionAnswer(sent: Sent, answer: Answer): void {
    const { queue, batch } = sent;
    const { errorCode } = answer;
    if (errorCode === ErrorCode.NONE) {
      this.#succeed(sent, answer.baseOffset, answer.logAppendTimeMs);
      return;
    }
    if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#succeed(sent, -1, -1);
      return;
    }
    if (invalidatesMetadata(errorCode)) this.#owner.metadataNeeded(queue.topic);
    // The gap before it is one that we know of; once that is closed, this one fits.
    const knowsGap = queue.hasGapBefore(batch) || this.#identity.lost;
    if ((errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && knowsGap) || isRetriable(errorCode)) {
      this.#tryAgain(sent, errorCode === ErrorCode.REQUEST_TIMED_OUT || appended(errorCode));
      return;
    }
    if (losesIdentity(errorCode) && this.#identity.idempotent) {
      batch.outcomeUnknown = true;
      this.#identity.lose(errorName(errorCode));
    }
    const words = [answer.errorMessage, ...answer.recordErrors.map(textOf)].filter(Boolean).join('; ');
    this.#giveUp(sent, brokerAnswer(`produce to ${queue.topic}-${queue.partition}`, errorCode, words));
  }

  #tryAgain({ queue, batch }: Sent, outcomeUnknown: boolean): void {
    const nowMs = this.#cluster.ports.clock.monotonicMs();
    queue.giveBack(batch, nowMs + this.#cluster.retryBackoffMs, outcomeUnknown);
  }

  #succeed({ queue, batch }: Sent, offset: number, logAppendTimeMs: number): void {
    queue.complete(batch);
    this.#owner.finished(batch, null, offset, logAppendTimeMs);
  }

  /** A batch that the broker may hold although it failed leaves a hole that only a new producer id closes. */
  #giveUp({ queue, batch }: Sent, error: ClientError): void {
    queue.drop(batch);
    if (batch.outcomeUnknown && this.#identity.idempotent) this.#identity.lose(error.message);
    this.#owner.finished(batch, error, -1, -1);
  }
}

function appended(errorCode: ErrorCode): boolean {
  return errorCode === ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
}

function losesIdentity(errorCode: ErrorCode): boolean {
  return (
    errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ||
    errorCode === ErrorCode.UNKNOWN_PRODUCER_ID ||
    errorCode === ErrorCode.INVALID_PRODUCER_EPOCH ||
    errorCode === ErrorCode.PRODUCER_FENCED
  );
}

function textOf(error: {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string | null;
}): string {
  return `record ${error.batchIndex}: ${error.batchIndexErrorMessage ?? 'refused'}`;
}
