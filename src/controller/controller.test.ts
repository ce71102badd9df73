import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { MetadataDelta } from '../metadata/metadata-delta.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts';
import { bootstrapRecords } from './activation.ts';
import { ControllerHarness, HARNESS_CLUSTER_ID, harnessRules } from './controller-harness.test.ts';
import { Controller } from './controller.ts';
import { RandomRequests } from './random-requests.test.ts';

const rules = harnessRules();

function newController(seed = 1): Controller {
  return new Controller({
    clusterId: HARNESS_CLUSTER_ID,
    configRules: rules,
    random: new Random(seed),
    colocatedBrokerId: null,
  });
}

function append(controller: Controller, log: MetadataRecord[], records: readonly MetadataRecord[]): void {
  if (records.length === 0) return;
  for (const record of records) {
    controller.replay(record, log.length);
    log.push(record);
  }
  controller.completeBatch({ offset: log.length - 1, epoch: 0, timestampMs: 0 });
}

function content(image: MetadataImage): unknown {
  return { provenance: image.provenance, records: [...image.toRecords()] };
}

/** A controller that has replayed `log` and nothing else. */
function replayed(log: readonly MetadataRecord[]): Controller {
  const controller = newController();
  append(controller, [], log);
  return controller;
}

test('whatever is asked, the state is what the log says, and a rollback makes it what a shorter log says', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = new Random(seed);
    const requests = new RandomRequests(random);
    const controller = newController(seed);
    const log: MetadataRecord[] = [];
    let nowMs = 0;
    append(controller, log, controller.activate(nowMs, bootstrapRecords()).records);
    let committed = log.length - 1;
    controller.release(committed);
    const held = [committed];
    for (let i = 0; i < 150; i++) {
      nowMs += random.below(1500);
      append(controller, log, controller.tick(nowMs).records);
      append(controller, log, controller.handle(requests.next(controller.image), nowMs).records);
      if (held.at(-1) !== log.length - 1 && controller.image.provenance.offset === log.length - 1) {
        held.push(log.length - 1);
      }
      if (random.chance(0.1)) {
        committed = random.pick(held);
        held.splice(0, held.indexOf(committed));
        controller.release(committed);
      }
      if (random.chance(0.05)) {
        controller.rollbackTo(committed);
        controller.deactivate();
        log.length = committed + 1;
        held.length = 1;
        controller.checkInvariants();
        assert.deepEqual(
          content(controller.image),
          content(replayed(log).image),
          `seed ${seed}: rolled back`,
        );
        append(controller, log, controller.activate(nowMs, bootstrapRecords()).records);
        if (held.at(-1) !== log.length - 1) held.push(log.length - 1);
      }
    }
    controller.checkInvariants();
    const fresh = replayed(log);
    fresh.checkInvariants();
    assert.deepEqual(content(controller.image), content(fresh.image), `seed ${seed}`);
  }
});

test('no partition ever has a leader outside its ISR, a member of its ISR or ELR outside its replicas, or a fenced leader', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const harness = new ControllerHarness({ 'default.replication.factor': '2' }, seed);
    const random = new Random(seed);
    const requests = new RandomRequests(random);
    for (let i = 0; i < 200; i++) {
      const request = requests.next(harness.controller.image);
      harness.ask(request.apiKey, request.body, request.apiVersion);
      harness.advance(random.below(1000));
      for (const topic of harness.controller.image.topics.all()) {
        for (const [id, partition] of topic.inOrder()) {
          const where = `seed ${seed}, step ${i}, ${topic.name}-${id}: ${harness.partition(topic.name, id)}`;
          const { replicas, isr, elr, leader } = partition;
          assert.ok(leader === -1 || isr.includes(leader), where);
          assert.ok(
            [...isr, ...elr].every((member) => replicas.includes(member)),
            where,
          );
          assert.ok(!elr.some((member) => isr.includes(member)), where);
          assert.equal(new Set([...isr, ...elr]).size, isr.length + elr.length, where);
          const broker = harness.controller.image.cluster.broker(leader);
          assert.ok(leader === -1 || broker?.fenced === false, where);
        }
      }
    }
  }
});

test('a transaction that its controller did not end is aborted by the next', () => {
  const controller = newController();
  const log: MetadataRecord[] = [];
  append(controller, log, controller.activate(0, bootstrapRecords()).records);
  controller.deactivate();
  append(controller, log, [
    metadataRecord('BeginTransactionRecord', { name: 'x' }),
    metadataRecord('FeatureLevelRecord', { name: 'share.version', featureLevel: 0 }),
  ]);
  const { records } = controller.activate(0, bootstrapRecords());
  assert.deepEqual(records, [metadataRecord('AbortTransactionRecord', { reason: 'Controller failover' })]);
  append(controller, log, records);
  assert.equal(controller.image.features.level('share.version'), 1);
  assert.deepEqual(content(controller.image), content(replayed(log).image));
});

test('a bootstrap that broke off is made anew', () => {
  const controller = newController();
  const log: MetadataRecord[] = [];
  append(controller, log, [
    metadataRecord('BeginTransactionRecord', { name: 'Bootstrap records' }),
    metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 29 }),
  ]);
  const { records } = controller.activate(0, bootstrapRecords());
  assert.equal(records[0]?.type, 'AbortTransactionRecord');
  assert.equal(records[1]?.type, 'BeginTransactionRecord');
  append(controller, log, records);
  assert.equal(controller.image.features.metadataVersion, 29);
  assert.equal(controller.image.features.level('group.version'), 1);
});

test('leaders that a stopped controller had yet to elect are elected by the next', () => {
  const harness = new ControllerHarness();
  const epoch = harness.startBroker(1);
  harness.createTopic('a', [[1], [1]]);
  harness.beat(1, { wantFence: true });
  const log = [...harness.log];
  // The unfencing was written, the elections that follow from it were not.
  log.push(
    metadataRecord('BrokerRegistrationChangeRecord', {
      brokerId: 1,
      brokerEpoch: epoch,
      fenced: -1,
      inControlledShutdown: 0,
      logDirs: [],
    }),
  );
  const controller = replayed(log);
  const { records } = controller.activate(0, bootstrapRecords());
  assert.deepEqual(
    records.map((record) => harness.describe(record)),
    [
      'PartitionChangeRecord v2 partitionId=0 topicId=a isr=[1] leader=1 eligibleLeaderReplicas=[] lastKnownElr=[]',
      'PartitionChangeRecord v2 partitionId=1 topicId=a isr=[1] leader=1 eligibleLeaderReplicas=[] lastKnownElr=[]',
    ],
  );
});

test('a snapshot of a later state replaces what was not committed, and the indexes follow', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const requests = new RandomRequests(random);
    const leader = newController(seed);
    const follower = newController(seed);
    const log: MetadataRecord[] = [];
    append(leader, log, leader.activate(0, bootstrapRecords()).records);
    append(follower, [], log);
    follower.release(log.length - 1);
    for (let i = 0; i < 60; i++) {
      append(leader, log, leader.handle(requests.next(leader.image), i).records);
      // Of what the leader appended the follower has seen a part, and something else that was never committed.
      if (i === 20 && log.length > follower.nextOffset) {
        append(follower, log.slice(0, follower.nextOffset), log.slice(follower.nextOffset));
        follower.release(follower.nextOffset - 1);
        append(follower, log.slice(), [metadataRecord('NoOpRecord', {}), topicRecord('never-committed')]);
      }
    }
    const image = MetadataDelta.fromNothing(leader.image).apply({
      ...leader.image.provenance,
      offset: log.length + 10,
    });
    const { delta, image: published } = follower.loadSnapshot(image);
    assert.deepEqual(content(published), content(image), `seed ${seed}`);
    assert.ok(delta.recordCount <= [...image.toRecords()].length + 10);
    follower.checkInvariants();
    follower.release(log.length + 10);
    follower.activate(100, []);
    follower.checkInvariants();
  }
});

function topicRecord(name: string): MetadataRecord {
  return metadataRecord('TopicRecord', { name, topicId: 'AAAAAAAAAAAAAAAAAAAAZQ' });
}
