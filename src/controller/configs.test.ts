import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControllerHarness, registration } from './controller-harness.test.ts';

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

type Operation = readonly [name: string, operation: number, value: string | null];

function alter(harness: ControllerHarness, type: number, name: string, ...operations: Operation[]) {
  const configs = operations.map(([config, configOperation, value]) => ({
    name: config,
    configOperation,
    value,
  }));
  const { records, response } = harness.ask(44, {
    resources: [{ resourceType: type, resourceName: name, configs }],
    validateOnly: false,
  });
  return { records, code: response.responses[0]?.errorCode, message: response.responses[0]?.errorMessage };
}

function withTopic(): ControllerHarness {
  const harness = new ControllerHarness();
  for (const id of [1, 2]) harness.startBroker(id);
  harness.createTopic('a', [[1, 2]]);
  return harness;
}

test('single configs are set, deleted, appended to and subtracted from', () => {
  const harness = withTopic();
  const value = (name: string) => harness.controller.image.configs.of(2, 'a').get(name);
  assert.deepEqual(alter(harness, 2, 'a', ['retention.ms', SET, '5']).records, [
    'ConfigRecord v0 resourceType=2 resourceName="a" name="retention.ms" value="5"',
  ]);
  assert.deepEqual(alter(harness, 2, 'a', ['retention.ms', SET, '5']).records, [], 'it was so already');
  alter(harness, 2, 'a', ['cleanup.policy', APPEND, 'compact']);
  assert.equal(value('cleanup.policy'), 'delete,compact', 'appended to the default');
  alter(harness, 2, 'a', ['cleanup.policy', SUBTRACT, 'delete']);
  assert.equal(value('cleanup.policy'), 'compact');
  assert.equal(alter(harness, 2, 'a', ['retention.ms', APPEND, '5']).code, 40);
  assert.deepEqual(alter(harness, 2, 'a', ['retention.ms', DELETE, null]).records, [
    'ConfigRecord v0 resourceType=2 resourceName="a" name="retention.ms"',
  ]);
  assert.equal(value('retention.ms'), undefined);
});

test('what cannot be configured is refused', () => {
  const harness = withTopic();
  assert.equal(alter(harness, 2, 'b', ['retention.ms', SET, '5']).code, 3);
  assert.equal(alter(harness, 2, 'a', ['retention.ms', SET, 'x']).code, 40);
  assert.equal(alter(harness, 2, 'a', ['retention.ms', SET, null]).code, 40);
  assert.equal(alter(harness, 2, 'a', ['retention.ms', 9, '1']).code, 42);
  assert.equal(alter(harness, 7, 'a', ['x', SET, '1']).code, 42);
  assert.equal(alter(harness, 4, 'one', ['x', SET, '1']).code, 42);
  assert.equal(alter(harness, 4, '', ['node.id', SET, '3']).code, 40);
  assert.equal(alter(harness, 32, 'g', ['no.such', SET, '1']).code, 40);
  assert.equal(alter(harness, 32, 'g', ['consumer.session.timeout.ms', SET, '50000']).code, 0);
  const twice = { resourceType: 2, resourceName: 'a', configs: [] };
  const { response } = harness.ask(44, { resources: [twice, twice], validateOnly: false });
  assert.deepEqual(
    response.responses.map(({ errorCode }) => errorCode),
    [42, 42],
  );
});

test('AlterConfigs replaces all configs of the resource', () => {
  const harness = withTopic();
  alter(harness, 2, 'a', ['retention.ms', SET, '5'], ['segment.ms', SET, '6']);
  const configs = [{ name: 'segment.ms', value: '7' }];
  const resources = [{ resourceType: 2, resourceName: 'a', configs }];
  assert.deepEqual(harness.ask(33, { resources, validateOnly: true }).records, []);
  harness.ask(33, { resources, validateOnly: false });
  assert.deepEqual([...harness.controller.image.configs.of(2, 'a')], [['segment.ms', '7']]);
});

test('a change of min.insync.replicas clears who was eligible under the former one', () => {
  const harness = withTopic();
  assert.deepEqual(alter(harness, 2, 'a', ['min.insync.replicas', SET, '2']).records, [
    'ConfigRecord v0 resourceType=2 resourceName="a" name="min.insync.replicas" value="2"',
    'ClearElrRecord v0 topicName="a"',
  ]);
  harness.beat(2, { wantFence: true });
  assert.equal(harness.partition('a', 0), '1 e0 isr=[1] elr=[2] last=[]');
  assert.equal(alter(harness, 4, '', ['min.insync.replicas', SET, '2']).records[1], 'ClearElrRecord v0');
  assert.equal(harness.partition('a', 0), '1 e0 isr=[1] elr=[] last=[]');
});

test('features go up as far as all brokers support them, and down only when asked to', () => {
  const harness = new ControllerHarness();
  const features = registration(1).features.map((feature) =>
    feature.name === 'share.version' ? { ...feature, maxSupportedVersion: 1 } : feature,
  );
  harness.ask(62, { ...registration(1), features });
  const update = (feature: string, maxVersionLevel: number, upgradeType = 1, apiVersion = 2) =>
    harness.ask(
      57,
      {
        timeoutMs: 1,
        featureUpdates: [{ feature, maxVersionLevel, allowDowngrade: false, upgradeType }],
        validateOnly: false,
      },
      apiVersion,
    );
  assert.equal(update('share.version', 2).response.errorCode, 95);
  assert.equal(update('no.such', 1).response.errorCode, 95);
  assert.equal(update('share.version', 0).response.errorCode, 95);
  assert.equal(update('metadata.version', 28, 2).response.errorCode, 95);
  assert.deepEqual(update('share.version', 0, 2).records, ['FeatureLevelRecord v0 name="share.version"']);
  assert.equal(harness.controller.image.features.level('share.version'), 0);
  assert.equal(update('share.version', 1, 2).response.errorCode, 95);
  const up = update('share.version', 1, 1, 1);
  assert.deepEqual(up.records, ['FeatureLevelRecord v0 name="share.version" featureLevel=1']);
  assert.deepEqual(up.response.results, [{ feature: 'share.version', errorCode: 0, errorMessage: null }]);
});
