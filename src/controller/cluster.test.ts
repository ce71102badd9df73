import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControllerHarness, HARNESS_CLUSTER_ID, registration } from './controller-harness.test.ts';

/** Three brokers, one topic of two partitions on all of them. */
function cluster(configs: Record<string, string> = {}): ControllerHarness {
  const harness = new ControllerHarness(configs);
  for (const id of [1, 2, 3]) harness.startBroker(id);
  harness.createTopic('a', [
    [1, 2, 3],
    [2, 3, 1],
  ]);
  return harness;
}

const named = (records: readonly string[]) => records.map((record) => record.split(' ')[0]);

test('a new cluster begins with the bootstrap records in a transaction', () => {
  const harness = new ControllerHarness({ 'min.insync.replicas': '2' });
  assert.deepEqual(
    harness.log.map((record) => harness.describe(record)),
    [
      'BeginTransactionRecord v0 name="Bootstrap records"',
      'FeatureLevelRecord v0 name="metadata.version" featureLevel=29',
      'FeatureLevelRecord v0 name="eligible.leader.replicas.version" featureLevel=1',
      'FeatureLevelRecord v0 name="group.version" featureLevel=1',
      'FeatureLevelRecord v0 name="share.version" featureLevel=1',
      'FeatureLevelRecord v0 name="streams.version" featureLevel=1',
      'FeatureLevelRecord v0 name="transaction.version" featureLevel=2',
      'ConfigRecord v0 resourceType=4 name="min.insync.replicas" value="2"',
      'EndTransactionRecord v0',
    ],
  );
});

test('a broker registers fenced at the epoch of its record and is unfenced once it has applied that record', () => {
  const harness = new ControllerHarness();
  const { records, response } = harness.ask(62, {
    ...registration(1),
    features: [...registration(1).features],
  });
  assert.equal(response.brokerEpoch, 9);
  assert.equal(records.length, 1);
  assert.match(records[0] as string, /^RegisterBrokerRecord v3 brokerId=1 .*brokerEpoch=9 .*logDirs=/);
  assert.ok(!(records[0] as string).includes('fenced'), 'fenced is the default');
  const behind = harness.beat(1, { currentMetadataOffset: 8 });
  assert.deepEqual(behind.records, []);
  assert.equal(behind.response.isCaughtUp, false);
  assert.equal(behind.response.isFenced, true);
  assert.equal(harness.beat(1, { wantFence: true }).response.isFenced, true);
  const caughtUp = harness.beat(1, { currentMetadataOffset: 9 });
  assert.deepEqual(caughtUp.records, [
    'BrokerRegistrationChangeRecord v0 brokerId=1 brokerEpoch=9 fenced=-1',
  ]);
  assert.equal(caughtUp.response.isFenced, false);
  assert.equal(caughtUp.response.isCaughtUp, true);
});

test('a registration is refused for another cluster, bad directories, features it cannot serve, a living predecessor', () => {
  const harness = new ControllerHarness();
  harness.startBroker(1);
  const code = (change: object) => harness.ask(62, { ...registration(2), ...change }).response.errorCode;
  assert.equal(code({ clusterId: `${HARNESS_CLUSTER_ID}x` }), 104);
  assert.equal(code({ logDirs: [] }), 119);
  assert.equal(code({ logDirs: ['AAAAAAAAAAAAAAAAAAAAAQ'] }), 119);
  assert.equal(code({ logDirs: registration(1).logDirs }), 119);
  const [metadataVersion, ...rest] = registration(2).features;
  assert.equal(code({ features: rest }), 35);
  assert.equal(code({ features: [metadataVersion] }), 35);
  const successor = registration(1, { incarnation: 7 });
  assert.equal(harness.ask(62, successor).response.errorCode, 101);
  assert.equal(code({}), 0);
  harness.advance(9000);
  assert.equal(harness.ask(62, successor).response.errorCode, 0);
});

test('the same incarnation that registers again keeps its epoch and stays unfenced', () => {
  const harness = new ControllerHarness();
  const epoch = harness.startBroker(1);
  const again = harness.ask(62, registration(1));
  assert.equal(again.response.brokerEpoch, epoch);
  assert.match(again.records[0] as string, /fenced=false/);
  assert.equal(harness.beat(1).response.isFenced, false);
});

test('heartbeats of an unknown broker or of a former incarnation are refused', () => {
  const harness = new ControllerHarness();
  assert.equal(harness.beat(1, { brokerEpoch: 3 }).response.errorCode, 77);
  const epoch = harness.startBroker(1);
  assert.equal(harness.beat(1, { brokerEpoch: epoch - 1 }).response.errorCode, 77);
});

test('a broker that falls silent is fenced at the end of its session: its leaders move and it leaves the ISR', () => {
  const harness = cluster();
  harness.advance(5000);
  harness.beat(2);
  harness.beat(3);
  assert.deepEqual(harness.advance(3999), []);
  assert.deepEqual(harness.advance(1).sort(), [
    'BrokerRegistrationChangeRecord v0 brokerId=1 brokerEpoch=9 fenced=1',
    'PartitionChangeRecord v2 partitionId=0 topicId=a isr=[2,3] leader=2',
    'PartitionChangeRecord v2 partitionId=1 topicId=a isr=[2,3]',
  ]);
  assert.equal(harness.partition('a', 0), '2 e1 isr=[2,3] elr=[] last=[]');
  assert.equal(harness.partition('a', 1), '2 e0 isr=[2,3] elr=[] last=[]');
  harness.beat(1);
  assert.equal(harness.controller.image.cluster.isUnfenced(1), true);
  assert.equal(
    harness.partition('a', 0),
    '2 e1 isr=[2,3] elr=[] last=[]',
    'leaders do not move back by themselves',
  );
});

test('when the controller itself stood still the sessions of its brokers begin anew', () => {
  const harness = cluster();
  harness.nowMs += 60_000;
  assert.deepEqual(harness.controller.tick(harness.nowMs).records, []);
  assert.equal(harness.controller.nextDeadlineMs(), harness.nowMs + 9000);
});

test('an ISR below the minimum leaves its former members eligible, and the first that returns leads', () => {
  const harness = cluster();
  for (const id of [1, 2, 3]) harness.beat(id, { wantFence: true });
  assert.equal(harness.partition('a', 0), '-1 e3 isr=[] elr=[3] last=[3]');
  harness.beat(1);
  assert.equal(
    harness.partition('a', 0),
    '-1 e3 isr=[] elr=[3] last=[3]',
    'broker 1 lacks what 3 may have taken',
  );
  harness.beat(3);
  assert.equal(harness.partition('a', 0), '3 e4 isr=[3] elr=[] last=[]');
  assert.equal(harness.controller.image.topics.byName('a')?.partition(0)?.leaderRecoveryState, 0);
});

test('a broker that lost its page cache is no eligible leader: it leads again only as the last known leader, recovering', () => {
  const harness = cluster();
  for (const id of [1, 2, 3]) harness.beat(id, { wantFence: true });
  const { records } = harness.ask(62, registration(3, { incarnation: 2 }));
  assert.deepEqual(named(records), [
    'RegisterBrokerRecord',
    'PartitionChangeRecord',
    'PartitionChangeRecord',
  ]);
  assert.equal(harness.partition('a', 0), '-1 e3 isr=[] elr=[] last=[3]');
  harness.beat(3);
  assert.equal(harness.partition('a', 0), '3 e4 isr=[3] elr=[] last=[] recovering');
});

test('a broker that says how it stopped comes back clean', () => {
  const harness = cluster();
  const epoch = harness.controller.image.cluster.broker(3)?.epoch as number;
  for (const id of [1, 2, 3]) harness.beat(id, { wantFence: true });
  harness.ask(62, registration(3, { previousBrokerEpoch: epoch }));
  assert.equal(harness.partition('a', 0), '-1 e3 isr=[] elr=[3] last=[3]');
  harness.beat(3);
  assert.equal(harness.partition('a', 0), '3 e4 isr=[3] elr=[] last=[]');
});

test('a controlled shutdown moves the leaders first and ends when the others have seen it', () => {
  const harness = cluster();
  const first = harness.beat(1, { wantShutDown: true });
  assert.deepEqual(named(first.records), [
    'BrokerRegistrationChangeRecord',
    'PartitionChangeRecord',
    'PartitionChangeRecord',
  ]);
  assert.equal(
    first.records[0],
    'BrokerRegistrationChangeRecord v1 brokerId=1 brokerEpoch=9 inControlledShutdown=1',
  );
  assert.equal(first.response.shouldShutDown, false);
  assert.equal(harness.partition('a', 0), '2 e1 isr=[2,3] elr=[] last=[]');
  const moved = harness.controller.nextOffset - 1;
  assert.equal(harness.beat(1, { wantShutDown: true }).response.shouldShutDown, false);
  harness.beat(2, { currentMetadataOffset: moved });
  harness.beat(3, { currentMetadataOffset: moved - 1 });
  assert.equal(harness.beat(1, { wantShutDown: true }).response.shouldShutDown, false);
  harness.beat(3, { currentMetadataOffset: moved });
  const last = harness.beat(1, { wantShutDown: true });
  assert.deepEqual(last.records, ['BrokerRegistrationChangeRecord v0 brokerId=1 brokerEpoch=9 fenced=1']);
  assert.equal(last.response.shouldShutDown, true);
});

test('the only broker may shut down, and leads again when it is back', () => {
  const harness = new ControllerHarness();
  const epoch = harness.startBroker(1);
  harness.createTopic('a', [[1]]);
  assert.equal(harness.beat(1, { wantShutDown: true }).response.shouldShutDown, false);
  assert.equal(harness.partition('a', 0), '-1 e1 isr=[] elr=[1] last=[1]');
  assert.equal(harness.beat(1, { wantShutDown: true }).response.shouldShutDown, true);
  harness.startBroker(1, { previousBrokerEpoch: epoch });
  assert.equal(harness.partition('a', 0), '1 e2 isr=[1] elr=[] last=[]');
});

test('directories that went offline take their replicas out of the ISR', () => {
  const harness = cluster();
  const logDirs = ['dirAxxxxxxxxxxxxxxxxxA', 'dirBxxxxxxxxxxxxxxxxxA'];
  harness.ask(62, registration(4, { logDirs }));
  harness.beat(4);
  const { records } = harness.beat(1, { offlineLogDirs: registration(1).logDirs });
  assert.deepEqual(named(records), [
    'BrokerRegistrationChangeRecord',
    'PartitionChangeRecord',
    'PartitionChangeRecord',
  ]);
  assert.equal(harness.partition('a', 0), '2 e1 isr=[2,3] elr=[] last=[]');
  const lost = harness.beat(4, { offlineLogDirs: [logDirs[0] as string] });
  assert.deepEqual(lost.records, [
    `BrokerRegistrationChangeRecord v2 brokerId=4 brokerEpoch=${harness.controller.image.cluster.broker(4)?.epoch} logDirs=["${logDirs[1]}"]`,
  ]);
});

test('a broker that is unregistered leaves every ISR, and an unknown one cannot be', () => {
  const harness = cluster();
  const { records, response } = harness.ask(64, { brokerId: 1 });
  assert.equal(response.errorCode, 0);
  assert.deepEqual(named(records), [
    'PartitionChangeRecord',
    'PartitionChangeRecord',
    'UnregisterBrokerRecord',
  ]);
  assert.equal(harness.controller.image.cluster.broker(1), undefined);
  assert.equal(harness.partition('a', 0), '2 e1 isr=[2,3] elr=[] last=[]');
  assert.equal(harness.ask(64, { brokerId: 1 }).response.errorCode, 102);
});

test('blocks of producer ids follow one another and are given to registered incarnations only', () => {
  const harness = new ControllerHarness();
  assert.equal(harness.ask(67, { brokerId: 1, brokerEpoch: 0 }).response.errorCode, 77);
  const brokerEpoch = harness.startBroker(1);
  const first = harness.ask(67, { brokerId: 1, brokerEpoch });
  assert.deepEqual(first.records, [
    `ProducerIdsRecord v0 brokerId=1 brokerEpoch=${brokerEpoch} nextProducerId=1000`,
  ]);
  assert.deepEqual(first.response, {
    throttleTimeMs: 0,
    errorCode: 0,
    producerIdStart: 0,
    producerIdLen: 1000,
  });
  assert.equal(harness.ask(67, { brokerId: 1, brokerEpoch }).response.producerIdStart, 1000);
});
