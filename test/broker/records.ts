/** Batches to produce, and what came back. */
import type { Broker } from '../../src/broker/broker.ts';
import { PortableCompute } from '../../src/io/node/portable/compute.ts';
import { BatchView } from '../../src/records/batch.ts';
import { type BatchInput, buildBatch } from '../../src/records/builder.ts';
import { type RecordView, readRecords } from '../../src/records/reader.ts';
import { CreateTopics, Fetch, Metadata, Produce } from './apis.ts';
import type { TestClient } from './test-client.ts';
import type { TestWorld } from './worlds.ts';

/** Implementation of checksums for tests. */
export const compute = new PortableCompute();

/** One uncompressed batch with a record per value, timestamps of now. */
export function batchOf(
  values: readonly string[],
  more: Partial<BatchInput> = {},
  timestampMs = 1_767_225_600_000,
) {
  const records = values.map((value) => ({ key: null, value: Buffer.from(value), timestampMs }));
  return buildBatch({ records, ...more }, compute);
}

/** The records in fetched bytes, from `fromOffset` on; a batch cut short at the end is left out, as clients do. */
export function recordsIn(bytes: Buffer | null, fromOffset = 0): RecordView[] {
  const found: RecordView[] = [];
  const view = new BatchView();
  for (let position = 0; bytes !== null && position + 61 <= bytes.length; ) {
    view.at(bytes, position);
    if (position + view.sizeBytes > bytes.length) break;
    found.push(...readRecords(bytes, position).filter(({ offset }) => offset >= fromOffset));
    position += view.sizeBytes;
  }
  return found;
}

/** Texts of the values of records. */
export function valuesOf(records: readonly RecordView[]): string[] {
  return records.map(({ value }) => value?.toString() ?? '');
}

/** A world with one broker, one connection, and the calls that most tests make. */
export class Bench {
  readonly world: TestWorld;
  broker: Broker;
  client: TestClient;

  private constructor(world: TestWorld, broker: Broker, client: TestClient) {
    this.world = world;
    this.broker = broker;
    this.client = client;
  }

  /** Starts a broker and connects. */
  static async open(world: TestWorld, settings: Readonly<Record<string, string>> = {}): Promise<Bench> {
    const broker = await world.start(settings);
    return new Bench(world, broker, await world.connect(broker));
  }

  /** Stops the broker in good order and starts one on the same disk. */
  async restart(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.world.wait(this.broker.close());
    await this.startAgain(settings);
  }

  /** Starts a broker after the last one has ended. */
  async startAgain(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.broker = await this.world.start(settings);
    this.client = await this.world.connect(this.broker);
  }

  /** Makes topics; returns their ids by name. */
  async createTopic(
    name: string,
    numPartitions = 1,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const answer = await this.world.wait(
      this.client.call(CreateTopics, 7, {
        topics: [
          {
            name,
            numPartitions,
            replicationFactor: 1,
            assignments: [],
            configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
          },
        ],
      }),
    );
    const [topic] = answer.topics;
    if (topic === undefined || topic.errorCode !== 0)
      throw new Error(`not created: ${JSON.stringify(topic)}`);
    return topic.topicId;
  }

  /** Produces to one partition; returns its part of the answer. */
  async produce(
    topic: string,
    records: Buffer | null,
    options: {
      partition?: number;
      acks?: number;
      version?: number;
      timeoutMs?: number;
      clientId?: string;
    } = {},
  ) {
    const answer = await this.world.wait(this.produceLater(topic, records, options));
    const result = answer.responses[0]?.partitionResponses[0];
    if (result === undefined) throw new Error('no result');
    return result;
  }

  /** Like `produce`, without letting time pass; with the whole answer. */
  produceLater(
    topic: string,
    records: Buffer | null,
    options: {
      partition?: number;
      acks?: number;
      version?: number;
      timeoutMs?: number;
      clientId?: string;
    } = {},
    client = this.client,
  ) {
    const { partition = 0, acks = -1, version = 12, timeoutMs = 5000, clientId = 'test' } = options;
    const body = {
      acks,
      timeoutMs,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    };
    return client.call(Produce, version, body, clientId);
  }

  /** Fetches one partition without a session; returns its part of the answer. */
  async fetch(topic: string, fetchOffset: number, options: FetchOptions = {}) {
    const answer = await this.world.wait(this.fetchLater(topic, fetchOffset, options));
    const result = answer.responses[0]?.partitions[0];
    if (result === undefined) throw new Error('no result');
    return result;
  }

  /** Like `fetch`, without letting time pass; with the whole answer. */
  fetchLater(topic: string, fetchOffset: number, options: FetchOptions = {}, client = this.client) {
    const { partition = 0, version = 12, maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, ...more } = options;
    return client.call(Fetch, version, {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: options.isolationLevel ?? 0,
      sessionEpoch: -1,
      topics: [
        {
          topic,
          partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20, ...more.partitionFields }],
        },
      ],
    });
  }

  /** All values of a partition, by as many fetches as it takes. */
  async readAll(topic: string, partition = 0): Promise<string[]> {
    const values: string[] = [];
    for (let offset = 0; ; ) {
      const { errorCode, highWatermark, records } = await this.fetch(topic, offset, { partition });
      if (errorCode !== 0) throw new Error(`fetch at ${offset}: ${errorCode}`);
      const found = recordsIn(records, offset);
      values.push(...valuesOf(found));
      const last = found.at(-1);
      if (last === undefined)
        return offset >= highWatermark ? values : Promise.reject(new Error('nothing read'));
      offset = last.offset + 1;
    }
  }

  /** Metadata of topics by name. */
  metadata(names: readonly string[] | null, allowAutoTopicCreation = false, version = 12) {
    return this.world.wait(
      this.client.call(Metadata, version, {
        topics: names === null ? null : names.map((name) => ({ name })),
        ...(version >= 4 ? { allowAutoTopicCreation } : {}),
      }),
    );
  }
}

/** What a fetch of one partition may say. */
export interface FetchOptions {
  readonly partition?: number;
  readonly version?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly isolationLevel?: number;
  readonly partitionFields?: {
    readonly partitionMaxBytes?: number;
    readonly currentLeaderEpoch?: number;
    readonly lastFetchedEpoch?: number;
  };
}
