import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { randomUuid } from '../base/uuid.ts';
import { recordsBetween } from './image-difference.ts';
import { MetadataDelta } from './metadata-delta.ts';
import { MetadataImage } from './metadata-image.ts';
import { MetadataLoader } from './metadata-loader.ts';
import { type MetadataRecord, decodeRecord, encodeRecord, metadataRecord } from './metadata-record.ts';
import { NO_LEADER_CHANGE } from './partition-registration.ts';

const UNCHANGED = {
  isr: null,
  leader: NO_LEADER_CHANGE,
  replicas: null,
  removingReplicas: null,
  addingReplicas: null,
  leaderRecoveryState: -1,
  directories: null,
  eligibleLeaderReplicas: null,
  lastKnownElr: null,
};

function feature(name: string, featureLevel: number): MetadataRecord {
  return metadataRecord('FeatureLevelRecord', { name, featureLevel });
}

function partition(topicId: string, partitionId: number, replicas: number[], random: Random): MetadataRecord {
  return metadataRecord(
    'PartitionRecord',
    {
      partitionId,
      topicId,
      replicas,
      isr: replicas.slice(0, 1 + random.below(replicas.length)),
      removingReplicas: [],
      addingReplicas: [],
      leader: replicas[0] as number,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map(() => randomUuid(random)),
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
    2,
  );
}

/** Makes records that fit what it made before. */
class RecordSource {
  readonly #random: Random;
  readonly #topics: { name: string; id: string; partitions: number }[] = [];
  readonly #brokers: { id: number; epoch: number }[] = [];
  readonly #keys = { acls: [] as string[], scram: [] as string[], tokens: [] as string[] };
  #serial = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): MetadataRecord[] {
    const random = this.#random;
    this.#serial++;
    const kind = random.below(12);
    if (kind < 2) return this.#newTopic();
    if (kind < 5) return this.#changePartition();
    if (kind === 5) return this.#removeTopic();
    if (kind < 8) return this.#brokerChange();
    if (kind === 8) {
      return [
        metadataRecord('ConfigRecord', {
          resourceType: random.pick([2, 4]),
          resourceName: random.pick(['', '1', 'topic-1', 'topic-2']),
          name: random.pick(['retention.ms', 'min.insync.replicas']),
          value: random.chance(0.3) ? null : String(this.#serial),
        }),
      ];
    }
    if (kind === 9) {
      return [
        metadataRecord('ProducerIdsRecord', {
          brokerId: 1,
          brokerEpoch: 4,
          nextProducerId: this.#serial * 1000,
        }),
        metadataRecord('ZkMigrationStateRecord', { zkMigrationState: 0 }),
        metadataRecord('NoOpRecord', {}),
      ];
    }
    if (kind === 10) return [feature(random.pick(['group.version', 'share.version']), random.below(2))];
    return this.#tableChange();
  }

  #newTopic(): MetadataRecord[] {
    const random = this.#random;
    const topic = {
      name: `topic-${this.#serial}`,
      id: randomUuid(random),
      partitions: random.between(1, 40),
    };
    this.#topics.push(topic);
    const records: MetadataRecord[] = [
      metadataRecord('TopicRecord', { name: topic.name, topicId: topic.id }),
    ];
    for (let p = 0; p < topic.partitions; p++) records.push(partition(topic.id, p, [1, 2, 3], random));
    return records;
  }

  #changePartition(): MetadataRecord[] {
    if (this.#topics.length === 0) return [];
    const random = this.#random;
    const topic = random.pick(this.#topics);
    if (random.chance(0.2)) {
      const partitionId = topic.partitions++;
      return [partition(topic.id, partitionId, [2, 3], random)];
    }
    if (random.chance(0.1)) return [metadataRecord('ClearElrRecord', { topicName: topic.name })];
    const value = { ...UNCHANGED, topicId: topic.id, partitionId: random.below(topic.partitions) };
    const leader = random.pick([-2, -1, 1, 2, 3]);
    return [
      metadataRecord(
        'PartitionChangeRecord',
        {
          ...value,
          leader,
          isr: random.chance(0.5) ? null : [random.between(1, 3)],
          eligibleLeaderReplicas: random.chance(0.5) ? null : [random.between(1, 3)],
          leaderRecoveryState: random.pick([-1, 0, 1]),
        },
        2,
      ),
    ];
  }

  #removeTopic(): MetadataRecord[] {
    if (this.#topics.length === 0) return [];
    const at = this.#random.below(this.#topics.length);
    const [topic] = this.#topics.splice(at, 1);
    return [metadataRecord('RemoveTopicRecord', { topicId: topic?.id as string })];
  }

  #brokerChange(): MetadataRecord[] {
    const random = this.#random;
    if (this.#brokers.length < 2 || random.chance(0.2)) {
      const broker = { id: random.between(1, 5), epoch: this.#serial };
      const at = this.#brokers.findIndex(({ id }) => id === broker.id);
      if (at >= 0) this.#brokers.splice(at, 1);
      this.#brokers.push(broker);
      return [
        metadataRecord(
          'RegisterBrokerRecord',
          {
            brokerId: broker.id,
            isMigratingZkBroker: false,
            incarnationId: randomUuid(random),
            brokerEpoch: broker.epoch,
            endPoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
            features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 29 }],
            rack: random.chance(0.5) ? null : 'r',
            fenced: true,
            inControlledShutdown: false,
            logDirs: [randomUuid(random)],
          },
          3,
        ),
      ];
    }
    const at = random.below(this.#brokers.length);
    const { id, epoch } = this.#brokers[at] as { id: number; epoch: number };
    if (random.chance(0.1)) {
      this.#brokers.splice(at, 1);
      return [metadataRecord('UnregisterBrokerRecord', { brokerId: id, brokerEpoch: epoch })];
    }
    if (random.chance(0.5)) {
      return [metadataRecord(random.pick(['FenceBrokerRecord', 'UnfenceBrokerRecord']), { id, epoch })];
    }
    const change = { brokerId: id, brokerEpoch: epoch, inControlledShutdown: random.below(2), logDirs: [] };
    return [
      metadataRecord('BrokerRegistrationChangeRecord', { ...change, fenced: random.between(-1, 1) }, 1),
    ];
  }

  #tableChange(): MetadataRecord[] {
    const random = this.#random;
    const bytes = Buffer.from([1, 2, 3]);
    switch (random.below(4)) {
      case 0: {
        const gone = random.chance(0.4) ? this.#keys.acls.pop() : undefined;
        if (gone !== undefined) return [metadataRecord('RemoveAccessControlEntryRecord', { id: gone })];
        const id = randomUuid(random);
        this.#keys.acls.push(id);
        return [
          metadataRecord('AccessControlEntryRecord', {
            id,
            resourceType: 2,
            resourceName: 'x',
            patternType: 3,
            principal: 'User:a',
            host: '*',
            operation: 3,
            permissionType: 3,
          }),
        ];
      }
      case 1: {
        const gone = random.chance(0.4) ? this.#keys.scram.pop() : undefined;
        if (gone !== undefined) {
          return [metadataRecord('RemoveUserScramCredentialRecord', { name: gone, mechanism: 1 })];
        }
        const name = `user-${this.#serial}`;
        this.#keys.scram.push(name);
        const keys = { salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 4096 };
        return [metadataRecord('UserScramCredentialRecord', { name, mechanism: 1, ...keys })];
      }
      case 2: {
        const gone = random.chance(0.4) ? this.#keys.tokens.pop() : undefined;
        if (gone !== undefined) return [metadataRecord('RemoveDelegationTokenRecord', { tokenId: gone })];
        const tokenId = `token-${this.#serial}`;
        this.#keys.tokens.push(tokenId);
        const times = { issueTimestamp: 1, maxTimestamp: 2, expirationTimestamp: 3 };
        return [
          metadataRecord('DelegationTokenRecord', {
            owner: 'User:a',
            requester: 'User:a',
            renewers: ['User:b'],
            tokenId,
            ...times,
          }),
        ];
      }
      default: {
        const entity = [
          { entityType: 'user', entityName: random.pick([null, 'a']) },
          { entityType: 'client-id', entityName: 'c' },
        ];
        if (random.chance(0.5)) entity.reverse();
        const remove = random.chance(0.3);
        return [
          metadataRecord('ClientQuotaRecord', { entity, key: 'producer_byte_rate', value: 1.5, remove }),
        ];
      }
    }
  }
}

function content(image: MetadataImage): MetadataRecord[] {
  return [...image.toRecords()];
}

test('an image made step by step, one made at once from the bytes of the records, and one made from a snapshot of it are equal', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed);
    const source = new RecordSource(random);
    const steps = new MetadataLoader();
    const atOnce = new MetadataLoader();
    const history: { image: MetadataImage; records: MetadataRecord[] }[] = [];
    let offset = 0;
    for (const first of [feature('metadata.version', 29)]) {
      steps.replay(first, 0);
      atOnce.replay(first, 0);
    }
    for (let i = 0; i < 60; i++) {
      for (const record of source.next()) {
        offset++;
        steps.replay(record, offset);
        atOnce.replay(decodeRecord(encodeRecord(record), offset), offset);
      }
      const { image } = steps.complete({ offset, epoch: 3, timestampMs: 7 });
      if (i % 10 === 0) history.push({ image, records: content(image) });
    }
    const whole = atOnce.complete({ offset, epoch: 3, timestampMs: 7 }).image;
    assert.deepEqual(content(steps.image), content(whole), `seed ${seed}`);
    assert.deepEqual(steps.image.provenance, whole.provenance);
    const copy = MetadataDelta.fromNothing(whole).apply(whole.provenance);
    assert.deepEqual(content(copy), content(whole), `seed ${seed}: snapshot`);
    for (const { image, records } of history) assert.deepEqual(content(image), records, 'old images stay');
    for (const topic of whole.topics.all()) {
      assert.equal(whole.topics.byName(topic.name), topic);
      assert.equal(whole.topics.byId(topic.id), topic);
      assert.deepEqual(
        [...topic.inOrder()].map(([id]) => id),
        Array.from({ length: topic.partitionCount }, (_, id) => id),
      );
    }
  }
});

test('a change shares every other topic and every other part with the image before', () => {
  const random = new Random(5);
  const loader = new MetadataLoader();
  const ids = Array.from({ length: 50 }, () => randomUuid(random));
  ids.forEach((topicId, i) => {
    loader.replay(metadataRecord('TopicRecord', { name: `t${i}`, topicId }), i);
    loader.replay(partition(topicId, 0, [1, 2], random), i);
  });
  const before = loader.complete({ offset: 100, epoch: 0, timestampMs: 0 }).image;
  const changed = ids[7] as string;
  loader.replay(
    metadataRecord('PartitionChangeRecord', { ...UNCHANGED, topicId: changed, partitionId: 0, leader: 2 }, 2),
    101,
  );
  const { delta, image } = loader.complete({ offset: 101, epoch: 0, timestampMs: 0 });
  assert.deepEqual([...(delta.topics?.changedTopics.keys() ?? [])], [changed]);
  assert.equal(delta.cluster, null);
  assert.equal(image.cluster, before.cluster);
  assert.equal(image.configs, before.configs);
  for (const id of ids) {
    if (id === changed) assert.notEqual(image.topics.byId(id), before.topics.byId(id));
    else assert.equal(image.topics.byId(id), before.topics.byId(id));
  }
  assert.equal(image.topics.partition(changed, 0)?.leaderEpoch, 1);
  assert.equal(image.topics.partition(changed, 0)?.partitionEpoch, 1);
  assert.equal(before.topics.partition(changed, 0)?.leaderEpoch, 0);
});

test('records of a transaction count all at its end, and never if it is aborted', () => {
  const loader = new MetadataLoader();
  const end = (offset: number) => loader.complete({ offset, epoch: 1, timestampMs: 1 });
  loader.replay(feature('metadata.version', 29), 0);
  loader.replay(metadataRecord('BeginTransactionRecord', { name: 'one' }), 1);
  loader.replay(feature('group.version', 1), 2);
  assert.equal(end(2).image.features.level('group.version'), 0);
  assert.equal(loader.image.features.metadataVersion, 29);
  const within = loader.state;
  loader.replay(feature('share.version', 1), 3);
  assert.equal(end(3).delta.recordCount, 0);
  loader.replay(metadataRecord('EndTransactionRecord', {}), 4);
  const { delta, image } = end(4);
  assert.deepEqual(
    [...(delta.features?.changes ?? [])],
    [
      ['group.version', 1],
      ['share.version', 1],
    ],
  );
  assert.equal(image.features.level('share.version'), 1);

  loader.restore(within);
  assert.equal(loader.transactionStartOffset, 1);
  loader.replay(metadataRecord('AbortTransactionRecord', { reason: 'over' }), 3);
  assert.equal(end(3).image.features.level('group.version'), 0);
  assert.equal(loader.transactionStartOffset, null);
  assert.throws(() => loader.replay(metadataRecord('EndTransactionRecord', {}), 4), /does not fit/);
});

test('a record that does not fit the state or is not known is refused by name', () => {
  const delta = new MetadataDelta(MetadataImage.EMPTY);
  const topicId = randomUuid(new Random(1));
  assert.throws(() => delta.replay(metadataRecord('RemoveTopicRecord', { topicId })), {
    code: 'METADATA_INCONSISTENT',
    message: /RemoveTopicRecord/,
  });
  assert.throws(() => delta.replay(metadataRecord('FenceBrokerRecord', { id: 9, epoch: 1 })), /broker 9/);
  assert.throws(() => delta.replay(feature('metadata.version', 30)), { code: 'METADATA_UNSUPPORTED' });
  delta.replay(metadataRecord('TopicRecord', { name: 'a', topicId }));
  assert.throws(() => delta.replay(metadataRecord('TopicRecord', { name: 'a', topicId })), /is there/);
  assert.throws(() => decodeRecord(Buffer.from([1, 99, 0, 0]), 7), {
    code: 'METADATA_UNSUPPORTED',
    message: /offset 7 .*type 99/,
  });
  assert.throws(() => decodeRecord(Buffer.from([1, 20, 0, 0, 0]), 8), { code: 'METADATA_CORRUPT' });
});

test('removing a topic removes its configs and nothing else of that name', () => {
  const random = new Random(2);
  const topicId = randomUuid(random);
  const config = (resourceType: number) =>
    metadataRecord('ConfigRecord', { resourceType, resourceName: 'a', name: 'x', value: '1' });
  const delta = new MetadataDelta(MetadataImage.EMPTY);
  delta.replay(metadataRecord('TopicRecord', { name: 'a', topicId }));
  delta.replay(config(2));
  delta.replay(config(32));
  delta.replay(metadataRecord('RemoveTopicRecord', { topicId }));
  const image = delta.apply({ offset: 3, epoch: 0, timestampMs: 0 });
  assert.equal(image.configs.of(2, 'a').size, 0);
  assert.equal(image.configs.of(32, 'a').get('x'), '1');
  assert.equal(image.topics.size, 0);
  assert.deepEqual([...(delta.topics?.deletedTopics ?? [])], []);
});

test('the records between any two images lead from the one to the other, and say nothing of what is the same', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const source = new RecordSource(random);
    const loader = new MetadataLoader();
    loader.replay(feature('metadata.version', 29), 0);
    const images: MetadataImage[] = [MetadataImage.EMPTY];
    for (let i = 1; i <= 120; i++) {
      for (const record of source.next()) loader.replay(record, i);
      if (i % 30 === 0) images.push(loader.complete({ offset: i, epoch: 1, timestampMs: i }).image);
    }
    for (const [i, from] of images.entries()) {
      // A snapshot is never of an earlier state than the one it replaces.
      for (const to of images.slice(Math.max(i, 1))) {
        // The image as a snapshot gives it, which shares nothing with the other.
        const target = MetadataDelta.fromNothing(to).apply(to.provenance);
        const delta = new MetadataDelta(from);
        for (const record of recordsBetween(from, target)) delta.replay(record);
        const [actual, expected] = [sorted(delta.apply(to.provenance)), sorted(to)];
        assert.equal(
          actual.find((record, at) => record !== expected[at]),
          undefined,
          `seed ${seed}`,
        );
        assert.equal(actual.length, expected.length, `seed ${seed}`);
        if (from === to) assert.equal(delta.recordCount, 0, `seed ${seed}`);
      }
    }
  }
});

/** Tables keep their records in an order of their keys' hashes: compared as sets. Topics are in an order of their own as well. */
function sorted(image: MetadataImage): string[] {
  return content(image)
    .map((record) => JSON.stringify(record))
    .sort();
}
