import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/errors.ts';
import type { Compute } from '../../src/io/compute.ts';
import { apiByKey } from '../../src/protocol/api-keys.ts';
import { codecOf } from '../../src/protocol/codec.ts';
import { decodeRequestHeader, encodeResponse } from '../../src/protocol/headers.ts';
import type { FetchRequest } from '../../src/protocol/messages/fetch.ts';
import type { ListOffsetsRequest } from '../../src/protocol/messages/list-offsets.ts';
import type { MetadataRequest } from '../../src/protocol/messages/metadata.ts';
import type { ProduceRequest } from '../../src/protocol/messages/produce.ts';
import { addToSequence, assignOffsetAndEpoch, BatchView, isCrcValid } from '../../src/records/batch.ts';
import type { Reaction, ScriptedRequest } from './scripted-network.ts';

/** A request that a test may meddle with. */
export interface SeenRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** The decoded request; null for a version that the model does not serve. */
  readonly body: unknown;
}

/**
 * What a test does to a request: nothing (null), `lose-request` (nothing happens, the connection ends), `lose-answer` (it is carried out, then
 * the connection ends), `silence` (it is carried out and never answered), or answer Produce and Fetch partitions with an error code.
 */
export type Meddling = null | 'lose-request' | 'lose-answer' | 'silence' | { readonly errorCode: number };

interface ModelPartition {
  readonly batches: Buffer[];
  endOffset: number;
  /** Per producer id: epoch, and sequences and offsets of the last five batches. */
  readonly producers: Map<number, { epoch: number; last: { first: number; next: number; offset: number }[] }>;
}

interface ModelTopic {
  readonly id: string;
  readonly partitions: ModelPartition[];
}

/** What a model is made of. */
export interface ModelOptions {
  readonly port: number;
  readonly compute: Compute;
  /** Highest version served by API key; all of the schema's by default. */
  readonly maxVersions?: Readonly<Record<number, number>>;
}

const SERVED = [0, 1, 2, 3, 18, 22];

/**
 * A broker of one node that fits on a page: topics in memory, idempotent dedupe of the last five batches, fetch sessions held to the letter.
 * It serves to test the client, not as a model of the real one's ways of failing: those are put in by `meddle`.
 */
export class ModelBroker {
  readonly topics = new Map<string, ModelTopic>();
  meddle: (request: SeenRequest) => Meddling = () => null;
  /** Every request in order of arrival. */
  readonly seen: SeenRequest[] = [];
  readonly #options: ModelOptions;
  #nextProducerId = 100;
  #nextTopic = 1;
  #session = { id: 0, epoch: 0, partitions: new Map<string, FetchPartition>() };

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** Makes a topic. */
  createTopic(name: string, partitionCount: number): void {
    const id = Buffer.alloc(16, this.#nextTopic++).toString('base64url');
    const partitions = Array.from({ length: partitionCount }, () => ({
      batches: [],
      endOffset: 0,
      producers: new Map(),
    }));
    this.topics.set(name, { id, partitions });
  }

  /** The values of all records of a partition, in order, with the fetched bytes of each. */
  batches(topic: string, partition: number): readonly Buffer[] {
    return this.topics.get(topic)?.partitions[partition]?.batches ?? [];
  }

  /** Forgets fetch sessions, as a restart does. */
  forgetSessions(): void {
    this.#session = { id: 0, epoch: 0, partitions: new Map() };
  }

  /** The model as a host of the scripted network. */
  readonly host = ({ frame }: ScriptedRequest): Reaction => {
    const header = decodeRequestHeader(frame, 0, frame.length);
    const { apiKey, apiVersion, correlationId } = header;
    const api = apiByKey(apiKey);
    assert.ok(api !== null && SERVED.includes(apiKey), `API ${apiKey} is not served`);
    if (apiVersion > this.#maxVersion(apiKey)) {
      assert.equal(apiKey, 18, 'only ApiVersions may be asked for in a version that is not served');
      this.seen.push({ apiKey, apiVersion, body: null });
      const body = { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [this.#rangeOf(18)] };
      return frameOf(encodeResponse(api, 0, correlationId, body));
    }
    const codec = codecOf(api.request, apiVersion);
    const body: unknown = codec.decode(frame, header.bodyStart, frame.length);
    assert.equal(codec.lastEnd, frame.length, 'no bytes follow the request');
    const request = { apiKey, apiVersion, body };
    this.seen.push(request);
    const meddling = this.meddle(request);
    if (meddling === 'lose-request') return 'hang-up';
    const errorCode = meddling !== null && typeof meddling === 'object' ? meddling.errorCode : 0;
    const answer = this.#answer(apiKey, body, errorCode);
    if (meddling === 'lose-answer') return 'hang-up';
    if (meddling === 'silence' || answer === null) return 'silence';
    return frameOf(encodeResponse(api, apiVersion, correlationId, answer as never));
  };

  #maxVersion(apiKey: number): number {
    const api = apiByKey(apiKey);
    return this.#options.maxVersions?.[apiKey] ?? api?.maxVersion ?? -1;
  }

  #rangeOf(apiKey: number) {
    return { apiKey, minVersion: apiByKey(apiKey)?.minVersion ?? 0, maxVersion: this.#maxVersion(apiKey) };
  }

  #answer(apiKey: number, body: unknown, errorCode: number): unknown {
    if (apiKey === 18) return { errorCode: 0, apiKeys: SERVED.map((key) => this.#rangeOf(key)) };
    if (apiKey === 22)
      return { throttleTimeMs: 0, errorCode, producerId: this.#nextProducerId++, producerEpoch: 0 };
    if (apiKey === 3) return this.#metadata(body as MetadataRequest);
    if (apiKey === 2) return this.#listOffsets(body as ListOffsetsRequest);
    if (apiKey === 1) return this.#fetch(body as FetchRequest, errorCode);
    return this.#produce(body as ProduceRequest, errorCode);
  }

  #metadata(request: MetadataRequest): unknown {
    const names = request.topics?.map(({ name }) => name as string) ?? [...this.topics.keys()];
    return {
      brokers: [{ nodeId: 1, host: 'model', port: this.#options.port }],
      clusterId: 'model',
      controllerId: 1,
      topics: names.map((name) => {
        if (!this.topics.has(name) && request.allowAutoTopicCreation) this.createTopic(name, 1);
        const topic = this.topics.get(name);
        if (topic === undefined)
          return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name, partitions: [] };
        return {
          errorCode: 0,
          name,
          topicId: topic.id,
          partitions: topic.partitions.map((_, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId: 1,
            leaderEpoch: 3,
            replicaNodes: [1],
            isrNodes: [1],
          })),
        };
      }),
    };
  }

  #listOffsets(request: ListOffsetsRequest): unknown {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => ({
          partitionIndex,
          errorCode: 0,
          offset: timestamp === -2n ? 0 : this.#partition(name, partitionIndex).endOffset,
        })),
      })),
    };
  }

  #produce(request: ProduceRequest, errorCode: number): unknown {
    const responses = request.topicData.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionResponses: topic.partitionData.map(({ index, records }) => {
        assert.ok(records !== null);
        const partition = this.#partition(this.#nameOf(topic), index);
        const outcome = errorCode === 0 ? this.#append(partition, Buffer.from(records)) : { errorCode };
        return { index, baseOffset: -1, ...outcome };
      }),
    }));
    return request.acks === 0 ? null : { responses };
  }

  #append(partition: ModelPartition, batch: Buffer): { errorCode: number; baseOffset?: number } {
    const view = new BatchView().at(batch, 0);
    assert.equal(view.sizeBytes, batch.length, 'one whole batch per partition');
    assert.ok(isCrcValid(this.#options.compute, batch, 0, batch.length), 'the crc is right');
    if (view.producerId >= 0) {
      const outcome = this.#checkSequence(partition, view);
      if (outcome !== null) return outcome;
    }
    const baseOffset = partition.endOffset;
    assignOffsetAndEpoch(batch, 0, baseOffset, 3);
    partition.batches.push(batch);
    partition.endOffset += view.lastOffsetDelta + 1;
    return { errorCode: 0, baseOffset };
  }

  /** Null when the batch is the producer's next one. */
  #checkSequence(
    partition: ModelPartition,
    view: BatchView,
  ): { errorCode: number; baseOffset?: number } | null {
    let producer = partition.producers.get(view.producerId);
    if (producer === undefined) {
      producer = { epoch: view.producerEpoch, last: [] };
      partition.producers.set(view.producerId, producer);
    }
    const duplicate = producer.last.find(({ first }) => first === view.baseSequence);
    if (duplicate !== undefined) return { errorCode: 0, baseOffset: duplicate.offset };
    if (view.baseSequence !== (producer.last.at(-1)?.next ?? 0)) {
      return { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER };
    }
    const next = addToSequence(view.baseSequence, view.lastOffsetDelta + 1);
    producer.last.push({ first: view.baseSequence, next, offset: partition.endOffset });
    if (producer.last.length > 5) producer.last.shift();
    return null;
  }

  #fetch(request: FetchRequest, errorCode: number): unknown {
    const session = this.#session;
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch > 0) {
      if (sessionId !== session.id) return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
      if (sessionEpoch !== session.epoch)
        return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, responses: [] };
      session.epoch++;
    } else {
      this.#session = { id: session.id + 1, epoch: 1, partitions: new Map() };
    }
    const { partitions } = this.#session;
    for (const topic of request.forgottenTopicsData) {
      for (const index of topic.partitions) {
        assert.ok(
          partitions.delete(`${this.#nameOf(topic)}-${index}`),
          'only what is remembered is forgotten',
        );
      }
    }
    for (const topic of request.topics) {
      const name = this.#nameOf(topic);
      for (const { partition, fetchOffset } of topic.partitions) {
        partitions.set(`${name}-${partition}`, { name, partition, fetchOffset });
      }
    }
    const responses = [...partitions.values()].map((wanted) =>
      this.#read(wanted, sessionEpoch > 0, errorCode),
    );
    return { errorCode: 0, sessionId: this.#session.id, responses: responses.filter((one) => one !== null) };
  }

  #read({ name, partition, fetchOffset }: FetchPartition, incremental: boolean, errorCode: number): unknown {
    const { batches, endOffset } = this.#partition(name, partition);
    const view = new BatchView();
    const found = batches.filter((batch) => view.at(batch, 0).endOffset > fetchOffset).slice(0, 3);
    const code = fetchOffset > endOffset ? ErrorCode.OFFSET_OUT_OF_RANGE : errorCode;
    if (incremental && code === 0 && found.length === 0) return null;
    // The last batch may be cut short, as in an answer of limited size.
    const cut = found.length > 1 ? 10 : 0;
    const records = Buffer.concat(found);
    return {
      topic: name,
      topicId: this.topics.get(name)?.id,
      partitions: [
        {
          partitionIndex: partition,
          errorCode: code,
          highWatermark: endOffset,
          records: code === 0 ? records.subarray(0, records.length - cut) : null,
        },
      ],
    };
  }

  #nameOf(topic: { readonly name?: string; readonly topic?: string; readonly topicId: string }): string {
    const name = topic.name || topic.topic;
    if (name !== undefined && name !== '') return name;
    const found = [...this.topics].find(([, { id }]) => id === topic.topicId);
    assert.ok(found !== undefined, `no topic has id ${topic.topicId}`);
    return found[0];
  }

  #partition(name: string, index: number): ModelPartition {
    const partition = this.topics.get(name)?.partitions[index];
    assert.ok(partition !== undefined, `${name}-${index} does not exist`);
    return partition;
  }
}

interface FetchPartition {
  readonly name: string;
  readonly partition: number;
  readonly fetchOffset: number;
}

function frameOf(parts: readonly unknown[]): Buffer {
  return Buffer.concat(parts as Buffer[]).subarray(4);
}
