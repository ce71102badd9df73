import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { CREATE_TOPICS, DELETE_TOPICS, LIST_OFFSETS, METADATA } from '../../src/client/apis.ts';
import type { TopicPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import { Peer, type PeerPorts } from './peer.ts';

const RETRY_MS = 50;
const LATEST = -1;

/** Creates the topics of a run, asks for their ids, and looks where partitions end. Every step is tried until it is done. */
export class AdminActor {
  readonly #world: World;
  readonly #peer: Peer;

  constructor(world: World, ports: PeerPorts) {
    this.#world = world;
    this.#peer = new Peer('admin', ports, () => undefined);
    this.#peer.start();
  }

  /** Creates a topic; `done` gets its id once the broker names it. */
  createTopic(plan: TopicPlan, done: (topicId: string) => void): void {
    const again = (): void => this.#peer.later(RETRY_MS, () => this.createTopic(plan, done));
    const configs = Object.entries({
      'flush.messages': plan.durable ? '1' : '9223372036854775807',
      'internal.segment.bytes': String(plan.segmentBytes),
      'index.interval.bytes': String(plan.indexIntervalBytes),
      'retention.bytes': String(plan.retentionBytes),
      'retention.ms': String(plan.retentionMs),
      'file.delete.delay.ms': String(plan.fileDeleteDelayMs),
      'compression.type': plan.compressionType,
      'message.timestamp.type': plan.appendTime ? 'LogAppendTime' : 'CreateTime',
    }).map(([name, value]) => ({ name, value }));
    const topic = {
      name: plan.name,
      numPartitions: plan.partitions,
      replicationFactor: 1,
      assignments: [],
      configs,
    };
    const sent = this.#peer.send(
      CREATE_TOPICS,
      () => ({ topics: [topic], timeoutMs: 1_000, validateOnly: false }),
      {},
      (response) => {
        const errorCode = response?.topics[0]?.errorCode;
        if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS)
          return this.#askId(plan, done);
        this.#world.note(
          `admin: ${plan.name}: ${errorCode === undefined ? 'connection lost' : errorName(errorCode)}`,
        );
        return again();
      },
    );
    if (!sent) again();
  }

  /** Deletes a topic; `done` once the broker says that it is gone. */
  deleteTopic(name: string, done: () => void): void {
    const again = (): void => this.#peer.later(RETRY_MS, () => this.deleteTopic(name, done));
    const sent = this.#peer.send(
      DELETE_TOPICS,
      () => ({ topics: [{ name, topicId: ZERO_UUID }], topicNames: [name], timeoutMs: 1_000 }),
      {},
      (response) => {
        const errorCode = response?.responses[0]?.errorCode;
        if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return done();
        this.#world.note(
          `admin: deleting ${name}: ${errorCode === undefined ? 'connection lost' : errorName(errorCode)}`,
        );
        return again();
      },
    );
    if (!sent) again();
  }

  /** Where a partition ends: the high watermark. Goes past the pause of the other actors. */
  endOffset(topic: string, partition: number, done: (endOffset: number) => void): void {
    const again = (): void => this.#peer.later(RETRY_MS, () => this.endOffset(topic, partition, done));
    const request = {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: LATEST }] }],
    };
    const sent = this.#peer.send(
      LIST_OFFSETS,
      () => request,
      {},
      (response) => {
        const found = response?.topics[0]?.partitions[0];
        if (found?.errorCode === ErrorCode.NONE) return done(found.offset);
        this.#world.note(
          `admin: end of ${topic}-${partition}: ${found === undefined ? 'connection lost' : errorName(found.errorCode)}`,
        );
        return again();
      },
    );
    if (!sent) again();
  }

  #askId(plan: TopicPlan, done: (topicId: string) => void): void {
    const again = (): void => this.#peer.later(RETRY_MS, () => this.#askId(plan, done));
    const sent = this.#peer.send(
      METADATA,
      () => ({ topics: [{ name: plan.name }], allowAutoTopicCreation: false }),
      {},
      (response) => {
        const topic = response?.topics[0];
        if (topic === undefined || topic.errorCode !== ErrorCode.NONE) return again();
        return done(topic.topicId);
      },
    );
    if (!sent) again();
  }
}
