import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerConfigs } from './broker-configs.ts';
import { developmentConfig } from './development.ts';
import { dynamicGroupConfigs } from './tables/group.ts';
import { topicConfigs } from './tables/topic.ts';
import {
  resolveTopicConfig,
  topicConfigValue,
  validateTopicConfig,
  validateTopicConfigs,
} from './topic-config.ts';

function broker(overrides: Record<string, string> = {}) {
  return developmentConfig(overrides, { hostName: 'h', workingDirectory: '/w' });
}

test("a topic without configs of its own has Kafka's defaults", () => {
  assert.deepEqual(resolveTopicConfig(broker(), new Map()), {
    segmentBytes: 1_073_741_824,
    segmentMs: 604_800_000,
    segmentJitterMs: 0,
    indexIntervalBytes: 4096,
    indexSizeMaxBytes: 10_485_760,
    maxMessageBytes: 1_048_588,
    messageTimestampType: 'CreateTime',
    messageTimestampBeforeMaxMs: 2 ** 63,
    messageTimestampAfterMaxMs: 3_600_000,
    cleanupPolicy: ['delete'],
    compressionType: 'producer',
    compressionLevel: null,
    flushMessages: 2 ** 63,
    flushMs: 2 ** 63,
    retentionMs: 604_800_000,
    retentionBytes: -1,
    fileDeleteDelayMs: 60_000,
    preallocate: false,
    minInsyncReplicas: 1,
    uncleanLeaderElectionEnable: false,
  });
});

test('the default of every topic config on an untouched broker is the one of the table', () => {
  const untouched = broker();
  for (const [name, definition] of Object.entries(topicConfigs)) {
    const typed = topicConfigValue(untouched, new Map(), name as keyof typeof topicConfigs);
    assert.equal(typed.text, definition.defaultText, name);
    assert.deepEqual(typed.value, definition.defaultValue, name);
  }
});

test("broker settings reach topics in the order of their precedence, and a topic's own win", () => {
  const given = broker({
    'log.retention.minutes': '2',
    'log.roll.ms': '7000',
    'log.roll.jitter.hours': '1',
    'log.flush.scheduler.interval.ms': '50',
    'message.max.bytes': '1000',
    'compression.type': 'zstd',
    'compression.zstd.level': '7',
    'log.cleanup.policy': 'compact,delete',
  });
  const resolved = resolveTopicConfig(given, new Map([['max.message.bytes', '5']]));
  assert.equal(resolved.retentionMs, 120_000);
  assert.equal(resolved.segmentMs, 7000);
  assert.equal(resolved.segmentJitterMs, 3_600_000);
  assert.equal(resolved.flushMs, 50);
  assert.equal(resolved.maxMessageBytes, 5);
  assert.deepEqual([resolved.compressionType, resolved.compressionLevel], ['zstd', 7]);
  assert.deepEqual(resolved.cleanupPolicy, ['compact', 'delete']);
  assert.equal(resolveTopicConfig(broker({ 'log.flush.interval.ms': '9' }), new Map()).flushMs, 9);
});

test("compression levels: gzip's -1 is the codec's own default, codecs without levels have none", () => {
  const level = (type: string, more: [string, string][] = []) =>
    resolveTopicConfig(broker(), new Map([['compression.type', type], ...more])).compressionLevel;
  assert.equal(level('gzip'), null);
  assert.equal(level('gzip', [['compression.gzip.level', '9']]), 9);
  assert.equal(level('lz4'), 9);
  assert.equal(level('snappy'), null);
});

test('a small segment for tests goes before segment.bytes', () => {
  assert.equal(resolveTopicConfig(broker(), new Map([['internal.segment.bytes', '500']])).segmentBytes, 500);
});

test('a topic config is checked by name, type and range', () => {
  assert.equal(validateTopicConfig('retention.ms', '-1'), null);
  assert.equal(validateTopicConfig('follower.replication.throttled.replicas', '0:1,1:2'), null);
  assert.equal(validateTopicConfig('follower.replication.throttled.replicas', '*'), null);
  assert.equal(validateTopicConfig('cleanup.policy', 'compact'), null);
  assert.equal(validateTopicConfig('retention.ms', '-2'), 'retention.ms cannot be "-2"; allowed: -1 or more');
  assert.equal(validateTopicConfig('no.such\n', '1'), 'There is no topic config no.such\\n');
  assert.equal(validateTopicConfig('constructor', '1'), 'There is no topic config constructor');
  assert.equal(validateTopicConfig('retention.ms', null), 'retention.ms needs a value');
  for (const [name, bad] of [
    ['segment.bytes', '1'],
    ['cleanup.policy', 'keep'],
    ['preallocate', 'yes'],
    ['leader.replication.throttled.replicas', '0:a'],
    ['compression.gzip.level', '0'],
  ]) {
    assert.ok(validateTopicConfig(name ?? '', bad ?? '') !== null, name);
  }
});

test('configs of a topic are checked together', () => {
  assert.equal(validateTopicConfigs(broker(), new Map([['retention.ms', '1']])), null);
  assert.match(validateTopicConfigs(broker(), new Map([['retention.ms', 'x']])) ?? '', /retention.ms/);
  const lags = new Map([
    ['min.compaction.lag.ms', '10'],
    ['max.compaction.lag.ms', '5'],
  ]);
  assert.match(validateTopicConfigs(broker(), lags) ?? '', /must not be greater/);
  assert.match(validateTopicConfigs(broker(), new Map([['remote.storage.enable', 'true']])) ?? '', /tiered/);
});

test('every broker config that a table refers to is there, and every default keeps its own rule', () => {
  for (const { serverDefaults } of Object.values(topicConfigs)) {
    for (const name of serverDefaults) assert.ok(Object.hasOwn(brokerConfigs, name), name);
  }
  for (const definition of Object.values(dynamicGroupConfigs)) {
    for (const name of [definition.serverDefault, definition.serverMin, definition.serverMax]) {
      assert.ok(name === null || Object.hasOwn(brokerConfigs, name), String(name));
    }
  }
  const exceptions = ['controller.quorum.bootstrap.servers', 'controller.quorum.voters'];
  for (const [name, { defaultValue, rule, doc }] of Object.entries({ ...brokerConfigs, ...topicConfigs })) {
    assert.match(doc, /^[A-Z].*\.$/, name);
    if (rule === null || defaultValue === null || defaultValue === undefined || exceptions.includes(name))
      continue;
    assert.ok(rule.accepts(defaultValue), name);
  }
});
