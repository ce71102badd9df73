import { assert } from '../base/assert.ts';
import { Random } from '../base/random.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import { developmentConfig } from '../config/development.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { METADATA_RECORDS } from '../protocol/metadata-record.ts';
import type { FieldSpec } from '../protocol/schema.ts';
import { bootstrapRecords } from './activation.ts';
import { ConfigRules } from './config-rules.ts';
import type { ControllerApiKey, ControllerApis, ControllerResult } from './controller-request.ts';
import { Controller } from './controller.ts';

/** Cluster id of a harness. */
export const HARNESS_CLUSTER_ID = 'odradek-harness-cluster';

/** An answer with the records that went before it, in `describeRecord`'s form. */
export interface Exchange<R> {
  readonly records: readonly string[];
  readonly response: R;
}

/** A controller whose log is an array: what it decides is appended and committed at once. For tests. */
export class ControllerHarness {
  readonly controller: Controller;
  /** Every record with its offset. */
  readonly log: MetadataRecord[] = [];
  nowMs = 1000;

  /** `configs` over the development profile. It leads, its bootstrap records are committed. */
  constructor(configs: Readonly<Record<string, string>> = {}, seed = 1) {
    this.controller = new Controller({
      clusterId: HARNESS_CLUSTER_ID,
      configRules: harnessRules(configs),
      random: new Random(seed),
      colocatedBrokerId: null,
    });
    this.#commit(this.controller.activate(this.nowMs, bootstrapRecords()));
  }

  /** Asks, and commits what comes. The version is the highest of 4.2 unless given. */
  ask<K extends ControllerApiKey>(
    apiKey: K,
    body: ControllerApis[K]['request'],
    apiVersion: number = NEWEST[apiKey],
  ): Exchange<ControllerApis[K]['response']> {
    const result = this.controller.handle({ apiKey, apiVersion, body }, this.nowMs);
    return { records: this.#commit(result), response: result.response };
  }

  /** Lets time pass, and commits what becomes due on the way. */
  advance(ms: number): string[] {
    const endMs = this.nowMs + ms;
    const records: string[] = [];
    for (;;) {
      const deadlineMs = this.controller.nextDeadlineMs();
      if (deadlineMs === null || deadlineMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, deadlineMs);
      records.push(...this.#commit(this.controller.tick(this.nowMs)));
    }
    this.nowMs = endMs;
    return records;
  }

  /** Registers a broker and sends heartbeats until it is unfenced; returns its epoch. */
  startBroker(brokerId: number, options: { rack?: string; previousBrokerEpoch?: number } = {}): number {
    const { response } = this.ask(62, registration(brokerId, options));
    assert(response.errorCode === 0, `broker ${brokerId} is refused: ${response.errorCode}`);
    const brokerEpoch = response.brokerEpoch as number;
    this.beat(brokerId, { brokerEpoch });
    return brokerEpoch;
  }

  /** A heartbeat of a broker that has applied everything. */
  beat(
    brokerId: number,
    options: Partial<ControllerApis[63]['request']> = {},
  ): Exchange<ControllerApis[63]['response']> {
    return this.ask(63, {
      brokerId,
      brokerEpoch: this.controller.image.cluster.broker(brokerId)?.epoch ?? -1,
      currentMetadataOffset: this.controller.nextOffset - 1,
      wantFence: false,
      wantShutDown: false,
      offlineLogDirs: [],
      ...options,
    });
  }

  /** Creates one topic with the given replicas for each partition. */
  createTopic(name: string, replicas: readonly number[][]): Exchange<ControllerApis[19]['response']> {
    return this.ask(19, createTopics([{ name, assignments: assigned(replicas) }]));
  }

  /** `leader e<leaderEpoch> isr=… elr=…` of a partition, for assertions. */
  partition(topic: string, partitionId: number): string {
    const found = this.controller.image.topics.byName(topic)?.partition(partitionId);
    assert(found !== undefined, `no partition ${topic}-${partitionId}`);
    const { leader, leaderEpoch, isr, elr, lastKnownElr, leaderRecoveryState } = found;
    const lists = `isr=[${isr.join()}] elr=[${elr.join()}] last=[${lastKnownElr.join()}]`;
    return `${leader} e${leaderEpoch} ${lists}${leaderRecoveryState === 1 ? ' recovering' : ''}`;
  }

  /** A record in one line, fields in schema order, with topics by name and without the fields that have their default. */
  describe(record: MetadataRecord): string {
    const schema = METADATA_RECORDS[record.type].fields() as Readonly<Record<string, FieldSpec>>;
    const values = record.value as Readonly<Record<string, unknown>>;
    const fields = Object.keys(schema)
      .filter((name) => !isDefault(values[name], schema[name]?.options.default))
      .map((name) => {
        const topic = name === 'topicId' ? this.#topicName(values[name] as Uuid) : undefined;
        return `${name}=${topic ?? JSON.stringify(values[name])}`;
      });
    return [`${record.type} v${record.version}`, ...fields].join(' ');
  }

  #topicName(id: Uuid): string | undefined {
    for (const record of this.log) {
      if (record.type === 'TopicRecord' && record.value.topicId === id) return record.value.name;
    }
    return undefined;
  }

  #commit(result: ControllerResult<unknown>): string[] {
    const { controller } = this;
    if (result.records.length === 0) return [];
    for (const record of result.records) {
      this.log.push(record);
      controller.replay(record, this.log.length - 1);
    }
    const offset = this.log.length - 1;
    controller.completeBatch({ offset, epoch: 1, timestampMs: 0 });
    controller.release(offset);
    controller.checkInvariants();
    return result.records.map((record) => this.describe(record));
  }
}

/** Config rules over the development profile. */
export function harnessRules(configs: Readonly<Record<string, string>> = {}): ConfigRules {
  const surroundings = { hostName: 'localhost', workingDirectory: '/' };
  return new ConfigRules(developmentConfig(configs, surroundings));
}

/** A registration of a broker's first incarnation, or of its next when told its predecessor's epoch. */
export function registration(
  brokerId: number,
  options: {
    rack?: string;
    previousBrokerEpoch?: number;
    incarnation?: number;
    logDirs?: string[];
  } = {},
): ControllerApis[62]['request'] {
  const name = `${brokerId}_${options.incarnation ?? options.previousBrokerEpoch ?? 0}`;
  const id = (kind: string) => `${kind}${name}`.padEnd(21, 'x') + 'A';
  return {
    brokerId,
    clusterId: HARNESS_CLUSTER_ID,
    incarnationId: id('incarnation'),
    listeners: [{ name: 'PLAINTEXT', host: `host${brokerId}`, port: 9092, securityProtocol: 0 }],
    features: [
      { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 29 },
      { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'share.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'streams.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      { name: 'transaction.version', minSupportedVersion: 0, maxSupportedVersion: 2 },
    ],
    rack: options.rack ?? null,
    isMigratingZkBroker: false,
    logDirs: options.logDirs ?? [`dir${brokerId}`.padEnd(21, 'x') + 'A'],
    previousBrokerEpoch: options.previousBrokerEpoch ?? -1,
  };
}

type CreatableTopic = ControllerApis[19]['request']['topics'][number];

/** A CreateTopics request; what is left out takes the broker's defaults. */
export function createTopics(
  topics: readonly (Partial<CreatableTopic> & { name: string })[],
  validateOnly = false,
): ControllerApis[19]['request'] {
  return {
    topics: topics.map((topic) => ({
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
      ...topic,
    })),
    timeoutMs: 1000,
    validateOnly,
  };
}

/** Assignments of partitions 0, 1, 2, …. */
export function assigned(replicas: readonly number[][]): CreatableTopic['assignments'] {
  return replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));
}

const NEWEST: Readonly<Record<ControllerApiKey, number>> = {
  19: 7,
  20: 6,
  33: 2,
  37: 3,
  44: 1,
  56: 3,
  57: 2,
  62: 4,
  63: 1,
  64: 0,
  67: 0,
  73: 0,
};

function isDefault(value: unknown, stated: unknown): boolean {
  if (stated !== undefined) return value === stated;
  if (Array.isArray(value)) return value.length === 0;
  return value === null || value === false || value === 0 || value === '' || value === ZERO_UUID;
}
