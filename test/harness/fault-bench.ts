import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { Admin } from '../../src/client/admin.ts';
import { Consumer } from '../../src/client/consumer.ts';
import { AlterReplicaLogDirs, Metadata, Produce } from '../broker/apis.ts';
import { batchOf } from '../broker/records.ts';
import { TestClient } from '../broker/test-client.ts';
import type { BrokerProcess } from './broker-process.ts';
import { prepareOdradek } from './odradek-broker.ts';
import { realPorts } from './own-client.ts';
import { temporaryDirectory } from './temporary.ts';
import { eventually } from './wait.ts';

/** A version of Produce that names topics. */
const PRODUCE_VERSION = 11;
const METADATA_VERSION = 9;
const READ_TIMEOUT_MS = 30_000;

/** The topic of all fault tests; its partitions are spread over the directories. */
export const TOPIC = 't';

/** What became of one record. */
export interface Produced {
  readonly errorCode: ErrorCode;
  readonly baseOffset: number;
}

/** A broker as a process, with two log directories and a metadata directory that tests do harm to, and what it has acknowledged. */
export class FaultBench {
  readonly broker: BrokerProcess;
  /** The two directories of data logs. */
  readonly directories: readonly [string, string];
  readonly #ports = realPorts();
  readonly #acknowledged = new Map<number, Map<number, string>>();
  #client: TestClient | null = null;

  private constructor(broker: BrokerProcess, directories: readonly [string, string]) {
    this.broker = broker;
    this.directories = directories;
  }

  /** @param prepare called with the parent of the three directories `a`, `b` and `metadata` before the broker starts; what it returns takes that back at the end */
  static async start(
    t: TestContext,
    prepare: (parent: string) => () => void = () => () => undefined,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<FaultBench> {
    const { path, remove } = temporaryDirectory('faults');
    const undo = prepare(path);
    const directories = [join(path, 'a'), join(path, 'b')] as const;
    const { process: broker } = await prepareOdradek(directories.join(','), {
      'metadata.log.dir': join(path, 'metadata'),
      ...settings,
    });
    const bench = new FaultBench(broker, directories);
    t.after(async () => {
      await bench.#close();
      undo();
      remove();
    });
    await broker.start();
    return bench;
  }

  /** Makes the topic with a partition or more in each directory. */
  async createTopic(configs: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.makeTopic(TOPIC, 2, configs);
    await eventually(
      'the logs of the topic are there',
      () =>
        [0, 1].every((partition) =>
          this.directories.some((path) => existsSync(join(path, `${TOPIC}-${partition}`))),
        ),
      { timeoutMs: 10_000 },
    );
  }

  /** Makes a topic, trying again as long as the controller is not there. */
  async makeTopic(
    name: string,
    numPartitions: number,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const admin = new Admin(this.#ports.ports, { bootstrap: [this.broker.bootstrap], timeoutMs: 20_000 });
    try {
      const [outcome] = await admin.createTopics([{ name, numPartitions, replicationFactor: 1, configs }]);
      if (outcome?.error) throw outcome.error;
    } finally {
      admin.close();
    }
  }

  /** The partition that lies in a directory. */
  partitionIn(directory: string): number {
    const found = [0, 1].find((partition) => existsSync(join(directory, `${TOPIC}-${partition}`)));
    assert.notEqual(found, undefined, `${directory} has a partition`);
    return found as number;
  }

  /** The first file of records of a partition. */
  logFile(directory: string): string {
    return join(directory, `${TOPIC}-${this.partitionIn(directory)}`, `${'0'.repeat(20)}.log`);
  }

  /** Writes one record, with no second try, and keeps what was acknowledged. */
  async produce(partition: number, value: string): Promise<Produced> {
    return this.#produceOver(await this.#connected(), partition, value);
  }

  /** As `produce`, over a connection of its own. */
  async produceApart(partition: number, value: string): Promise<Produced> {
    return this.#produceOver(await this.#connect(), partition, value);
  }

  async #produceOver(client: TestClient, partition: number, value: string): Promise<Produced> {
    const answer = await client.call(Produce, PRODUCE_VERSION, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: partition, records: batchOf([value]) }] }],
    });
    const { errorCode, baseOffset } = answer.responses[0]?.partitionResponses[0] ?? {
      errorCode: ErrorCode.UNKNOWN_SERVER_ERROR,
      baseOffset: -1,
    };
    if (errorCode === ErrorCode.NONE) {
      const offsets = this.#acknowledged.get(partition) ?? new Map<number, string>();
      this.#acknowledged.set(partition, offsets);
      assert.equal(offsets.has(baseOffset), false, `offset ${baseOffset} is acknowledged once`);
      offsets.set(baseOffset, value);
    }
    return { errorCode, baseOffset };
  }

  /** Writes a record that must be acknowledged. */
  async mustProduce(partition: number, value: string): Promise<void> {
    assert.equal((await this.produce(partition, value)).errorCode, ErrorCode.NONE);
  }

  /** Leader of a partition as clients are told; -1 for none. */
  async leaderOf(partition: number): Promise<number> {
    const client = await this.#connected();
    const { topics } = await client.call(Metadata, METADATA_VERSION, {
      topics: [{ name: TOPIC }],
      allowAutoTopicCreation: false,
    });
    return topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition)?.leaderId ?? -1;
  }

  /** Asks for a replica to be moved to a directory. */
  async moveReplica(partition: number, path: string): Promise<ErrorCode> {
    const client = await this.#connected();
    const { results } = await client.call(AlterReplicaLogDirs, 2, {
      dirs: [{ path, topics: [{ name: TOPIC, partitions: [partition] }] }],
    });
    return results[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  }

  /** Reads a partition and asserts that everything acknowledged is where it was acknowledged. */
  async checkAcknowledged(partition: number): Promise<void> {
    const expected = this.#acknowledged.get(partition) ?? new Map<number, string>();
    const left = new Map(expected);
    const consumer = new Consumer(this.#ports.ports, { bootstrap: [this.broker.bootstrap] });
    consumer.assign([{ topic: TOPIC, partition, offset: 'earliest' }]);
    const deadlineMs = performance.now() + READ_TIMEOUT_MS;
    try {
      while (left.size > 0) {
        assert.ok(performance.now() < deadlineMs, `${left.size} acknowledged records cannot be read`);
        for (const { records } of await consumer.fetch(2_000)) {
          for (const { offset, value } of records) {
            const wanted = expected.get(offset);
            if (wanted !== undefined)
              assert.ok(value?.toString() === wanted, `offset ${offset} has its value`);
            left.delete(offset);
          }
        }
      }
    } finally {
      consumer.close();
    }
  }

  /** Lines of the broker's log that contain a text. */
  lines(text: string): string[] {
    return this.broker.lines.filter((line) => line.includes(text));
  }

  /** Stops the broker however it is doing and starts it again. */
  async restart(): Promise<void> {
    await this.broker.kill();
    this.#client = null;
    await this.broker.start();
  }

  /** Waits until a partition takes records. */
  async untilWritable(partition: number): Promise<void> {
    await eventually(
      `partition ${partition} takes records again`,
      async () => (await this.produce(partition, 'again')).errorCode === ErrorCode.NONE,
      { timeoutMs: 20_000, intervalMs: 100 },
    );
  }

  async #connected(): Promise<TestClient> {
    if (this.#client === null || this.#client.closed !== null) this.#client = await this.#connect();
    return this.#client;
  }

  async #connect(): Promise<TestClient> {
    const address = { host: '127.0.0.1', port: this.broker.port };
    const client = new TestClient(this.#ports.ports.network, address);
    await client.open();
    return client;
  }

  async #close(): Promise<void> {
    await this.broker.kill();
    this.#client?.close();
    await this.#ports.close();
  }
}
