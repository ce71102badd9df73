import type { Random } from '../base/random.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { TopicImage } from '../metadata/topics-image.ts';
import { createTopics, registration } from './controller-harness.test.ts';
import type { ControllerApiKey, ControllerApis, ControllerRequest } from './controller-request.ts';

/** A request of any kind. */
export type AnyControllerRequest = { [K in ControllerApiKey]: ControllerRequest<K> }[ControllerApiKey];

const BROKERS = [1, 2, 3, 4];
const NAMES = ['a', 'b', 'c.d', 'c_d', 'e', 'bad name'];

/** Makes requests that brokers and clients of a small cluster might send, good and bad ones, from its present state. For tests. */
export class RandomRequests {
  readonly #random: Random;
  #incarnation = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The next request. */
  next(image: MetadataImage): AnyControllerRequest {
    const random = this.#random;
    const kind = random.below(20);
    if (kind < 2) return this.#registration(image);
    if (kind < 9) return this.#heartbeat(image);
    if (kind < 12) return this.#createTopics();
    if (kind === 12) return this.#deleteTopics(image);
    if (kind === 13) return this.#createPartitions();
    if (kind === 14) return this.#incrementalAlterConfigs();
    if (kind === 15) return { apiKey: 64, apiVersion: 0, body: { brokerId: random.pick(BROKERS) } };
    if (kind < 18) return this.#alterPartition(image);
    const brokerId = random.pick(BROKERS);
    const body = { brokerId, brokerEpoch: image.cluster.broker(brokerId)?.epoch ?? 0 };
    return { apiKey: 67, apiVersion: 0, body };
  }

  #registration(image: MetadataImage): AnyControllerRequest {
    const random = this.#random;
    const id = random.pick(BROKERS);
    const previousBrokerEpoch = random.chance(0.5) ? (image.cluster.broker(id)?.epoch ?? -1) : -1;
    const incarnation = random.chance(0.3) ? this.#incarnation : ++this.#incarnation;
    const body = registration(id, { previousBrokerEpoch, incarnation });
    return { apiKey: 62, apiVersion: 4, body };
  }

  #heartbeat(image: MetadataImage): AnyControllerRequest {
    const random = this.#random;
    const brokerId = random.pick(BROKERS);
    const body: ControllerApis[63]['request'] = {
      brokerId,
      brokerEpoch: image.cluster.broker(brokerId)?.epoch ?? 0,
      currentMetadataOffset: Math.max(0, image.provenance.offset - random.below(3)),
      wantFence: random.chance(0.1),
      wantShutDown: random.chance(0.1),
      offlineLogDirs: random.chance(0.05) ? registration(brokerId).logDirs : [],
    };
    return { apiKey: 63, apiVersion: 1, body };
  }

  #createTopics(): AnyControllerRequest {
    const random = this.#random;
    const configs = random.chance(0.5) ? [] : [{ name: 'retention.ms', value: random.pick(['1', '2', 'x']) }];
    const topic = {
      name: random.pick(NAMES),
      numPartitions: random.between(-1, 3),
      replicationFactor: random.between(1, 3),
      configs,
    };
    const topics = random.chance(0.2) ? [topic, { name: random.pick(NAMES) }] : [topic];
    return { apiKey: 19, apiVersion: 7, body: createTopics(topics, random.chance(0.1)) };
  }

  #deleteTopics(image: MetadataImage): AnyControllerRequest {
    const name = this.#random.pick(NAMES);
    const topic = image.topics.byName(name);
    const byId = topic !== undefined && this.#random.chance(0.5);
    const topics = [byId ? { name: null, topicId: topic.id } : { name, topicId: ZERO_UUID as Uuid }];
    return { apiKey: 20, apiVersion: 6, body: { topics, topicNames: [], timeoutMs: 1 } };
  }

  #createPartitions(): AnyControllerRequest {
    const topic = { name: this.#random.pick(NAMES), count: this.#random.between(1, 6), assignments: null };
    return { apiKey: 37, apiVersion: 3, body: { topics: [topic], timeoutMs: 1, validateOnly: false } };
  }

  #incrementalAlterConfigs(): AnyControllerRequest {
    const random = this.#random;
    const configs = [
      {
        name: random.pick(['retention.ms', 'min.insync.replicas', 'unclean.leader.election.enable']),
        configOperation: random.below(2),
        value: random.pick(['1', '2', 'true']),
      },
    ];
    const resource = random.chance(0.8)
      ? { resourceType: 2, resourceName: random.pick(NAMES) }
      : { resourceType: 4, resourceName: '' };
    return {
      apiKey: 44,
      apiVersion: 1,
      body: { resources: [{ ...resource, configs }], validateOnly: false },
    };
  }

  #alterPartition(image: MetadataImage): AnyControllerRequest {
    const random = this.#random;
    const led: { topic: TopicImage; partitionId: number; leader: number }[] = [];
    for (const topic of image.topics.all()) {
      for (const [partitionId, { leader }] of topic.inOrder())
        if (leader >= 0) led.push({ topic, partitionId, leader });
    }
    const pick = led[random.below(Math.max(1, led.length))];
    if (pick === undefined) return { apiKey: 64, apiVersion: 0, body: { brokerId: 99 } };
    const partition = pick.topic.partition(pick.partitionId);
    const isr = partition?.replicas.filter((id) => id === pick.leader || random.chance(0.7)) ?? [];
    const proposal = {
      partitionIndex: pick.partitionId,
      leaderEpoch: partition?.leaderEpoch ?? 0,
      newIsr: [],
      newIsrWithEpochs: isr.map((id) => ({
        brokerId: id,
        brokerEpoch: image.cluster.broker(id)?.epoch ?? 0,
      })),
      leaderRecoveryState: 0,
      partitionEpoch: partition?.partitionEpoch ?? 0,
    };
    const body = {
      brokerId: pick.leader,
      brokerEpoch: image.cluster.broker(pick.leader)?.epoch ?? 0,
      topics: [{ topicId: pick.topic.id, partitions: [proposal] }],
    };
    return { apiKey: 56, apiVersion: 3, body };
  }
}
