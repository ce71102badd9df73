import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError } from '../base/broker-error.ts';
import { BrokerConfig } from './broker-config.ts';
import { developmentConfig } from './development.ts';
import { settingsFrom } from './settings.ts';
import { Password } from './values.ts';

const SURROUNDINGS = { hostName: 'my-host', workingDirectory: '/work' };

function config(overrides: Record<string, string> = {}): BrokerConfig {
  return developmentConfig(overrides, SURROUNDINGS);
}

/** The lines of the error that the settings give. */
function problems(make: () => BrokerConfig): string[] {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof BrokerError && error.code === 'CONFIG_INVALID', String(error));
    return error.message.split('\n');
  }
  return assert.fail('no error');
}

test('the development profile is one node for this machine with its data below the working directory', () => {
  const development = config();
  assert.equal(development.nodeId, 1);
  assert.ok(development.isBroker && development.isController);
  const listener = {
    listenerName: 'PLAINTEXT',
    host: '127.0.0.1',
    port: 9092,
    securityProtocol: 'PLAINTEXT',
  };
  assert.deepEqual(development.listeners.broker, [listener]);
  assert.deepEqual(development.listeners.advertised, [listener]);
  assert.deepEqual(development.listeners.controller, []);
  assert.equal(development.listeners.interBrokerName, 'PLAINTEXT');
  assert.deepEqual(development.logDirs, ['/work/odradek-data']);
  assert.equal(development.metadataLogDir, '/work/odradek-data');
  assert.equal(development.get('odradek.auto.format'), true);
  assert.equal(development.get('auto.create.topics.enable'), true);
  assert.equal(development.get('num.partitions'), 1);
  assert.equal(development.admin, null);
  assert.deepEqual(development.warnings, []);
});

test('values have the type of their config, and texts keep their digits', () => {
  const given = config({ 'log.flush.interval.messages': '9007199254740993', 'ssl.key.password': 'secret' });
  const bytes: number = given.get('socket.request.max.bytes');
  const assignors: readonly string[] = given.get('group.consumer.assignors');
  const rack: string | null = given.get('broker.rack');
  assert.deepEqual([bytes, assignors, rack], [104857600, ['uniform', 'range'], null]);
  assert.equal(given.text('log.flush.interval.messages'), '9007199254740993');
  assert.equal(given.text('log.message.timestamp.before.max.ms'), '9223372036854775807');
  assert.equal(given.get('log.message.timestamp.before.max.ms'), 2 ** 63);
  assert.equal(given.text('broker.rack'), null);
  assert.ok(given.get('ssl.key.password') instanceof Password);
  assert.equal(given.text('ssl.key.password'), '[hidden]');
  assert.ok(given.isSet('ssl.key.password') && !given.isSet('broker.rack'));
});

test('a bad value is told with its name, origin and what is allowed, and all of them at once', () => {
  const bad = {
    'log.roll.hours': '0',
    'socket.request.max.bytes': 'lots\n',
    'compression.type': 'rar',
    'ssl.keystore.password': 'ok',
  };
  assert.deepEqual(
    problems(() => config(bad)),
    [
      'log.roll.hours = "0" (given) is not valid; allowed: 1 or more',
      'socket.request.max.bytes = "lots\\n" (given) is not valid; allowed: a whole number from -2147483648 to 2147483647, 1 or more',
      'compression.type = "rar" (given) is not valid; allowed: uncompressed, zstd, lz4, snappy, gzip, producer',
    ],
  );
});

test('what must be set is asked for', () => {
  const lines = problems(() => new BrokerConfig(settingsFrom({ 'node.id': 'x' }, 'f'), SURROUNDINGS));
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? '', /^node.id = "x" \(f\) is not valid/);
  assert.match(lines.slice(1).join(), /controller.listener.names must be set: .*process.roles must be set: /);
});

test('an unknown name is a warning that suggests the nearest one', () => {
  const { warnings } = config({
    'log.retention.hour': '1',
    'retention.ms': '1',
    'zzz.unheard.of': '1',
    'leader.replication.throttled.rate': '1',
  });
  assert.deepEqual(warnings, [
    'Unknown setting log.retention.hour (given) is ignored; did you mean log.retention.hours?',
    'Unknown setting retention.ms (given) is ignored; did you mean log.retention.ms?',
    'Unknown setting zzz.unheard.of (given) is ignored',
    'leader.replication.throttled.rate (given) is ignored: it can only be set while the broker runs',
  ]);
});

test('settings of plug-ins and of single listeners are known by their prefixes', () => {
  const given = config({
    'rsm.config.bucket': 'b',
    'rlmm.config.x': 'y',
    'config.providers.env.class': 'C',
    'listener.name.plaintext.socket.send.buffer.bytes': '1',
    'listener.name.plaintext.scram-sha-256.sasl.jaas.config': 'j',
    'my.rsm.bucket': 'b',
    'remote.log.storage.manager.impl.prefix': 'my.rsm.',
  });
  assert.deepEqual(given.warnings, ['Unknown setting rsm.config.bucket (given) is ignored']);
  assert.equal(given.getForListener('PLAINTEXT', 'socket.send.buffer.bytes'), 1);
  assert.equal(given.getForListener('OTHER', 'socket.send.buffer.bytes'), 102400);
  assert.match(
    problems(() => config({ 'listener.name.a.max.connections': 'x' }))[0] ?? '',
    /^listener\.name\.a\.max\.connections = /,
  );
});

test('broker.id stands in for node.id and must not contradict it', () => {
  assert.equal(config({ 'broker.id': '7' }).nodeId, 7);
  assert.equal(config({ 'broker.id': '7', 'node.id': '7' }).nodeId, 7);
  assert.match(problems(() => config({ 'broker.id': '7', 'node.id': '8' })).join(), /^broker.id = "7"/);
});

test('the finer unit of a time goes first', () => {
  assert.equal(config().logRetentionMs, 168 * 3_600_000);
  assert.equal(config({ 'log.retention.hours': '1' }).logRetentionMs, 3_600_000);
  assert.equal(config({ 'log.retention.hours': '1', 'log.retention.minutes': '2' }).logRetentionMs, 120_000);
  assert.equal(config({ 'log.retention.ms': '3', 'log.retention.minutes': '2' }).logRetentionMs, 3);
  assert.equal(config({ 'log.retention.hours': '-1' }).logRetentionMs, -1);
  assert.equal(config({ 'log.roll.hours': '2' }).logRollMs, 7_200_000);
  assert.equal(config({ 'log.roll.hours': '2', 'log.roll.ms': '5' }).logRollMs, 5);
  assert.equal(config({ 'log.roll.jitter.hours': '1' }).logRollJitterMs, 3_600_000);
  assert.equal(config().logFlushIntervalMs, 2 ** 63);
  assert.equal(
    config({ 'log.flush.scheduler.interval.ms': '9', 'log.flush.interval.ms': '4' }).logFlushIntervalMs,
    4,
  );
  assert.match(problems(() => config({ 'log.retention.ms': '0' })).join(), /1 or more, or -1/);
});

test('data directories are absolute, several, and different', () => {
  assert.deepEqual(config({ 'log.dirs': 'a, /b/../c ,../d/' }).logDirs, ['/work/a', '/c', '/d']);
  assert.deepEqual(config({ 'log.dir': '/one' }).logDirs, ['/one']);
  assert.deepEqual(config({ 'log.dir': '/one', 'log.dirs': '/two' }).logDirs, ['/two']);
  assert.equal(config({ 'metadata.log.dir': 'm' }).metadataLogDir, '/work/m');
  assert.match(problems(() => config({ 'log.dirs': 'a,./a' })).join(), /is there twice/);
  assert.deepEqual(config({ 'log.dirs': '/a,/b, /a' }).logDirs, ['/a', '/b']);
  assert.match(problems(() => config({ 'log.dirs': '' })).join(), /a list that is not empty/);
});

test("several listeners are advertised as they are, or under this machine's name", () => {
  const given = config({
    listeners: 'INTERNAL://:9092,EXTERNAL://127.0.0.1:9093,V6://[::1]:9094,CONTROLLER://localhost:9095',
    'listener.security.protocol.map':
      'INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,V6:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'internal',
  }).listeners;
  const texts = (endpoints: readonly { listenerName: string; host: string; port: number }[]) =>
    endpoints.map(({ listenerName, host, port }) => `${listenerName} ${host} ${port}`);
  assert.deepEqual(texts(given.broker), ['INTERNAL  9092', 'EXTERNAL 127.0.0.1 9093', 'V6 ::1 9094']);
  assert.deepEqual(texts(given.advertised), [
    'INTERNAL my-host 9092',
    'EXTERNAL 127.0.0.1 9093',
    'V6 ::1 9094',
  ]);
  assert.deepEqual(texts(given.controller), ['CONTROLLER localhost 9095']);
  assert.equal(given.interBrokerName, 'INTERNAL');
});

test('only the listeners that advertised.listeners names are told to clients', () => {
  const listeners = 'PLAINTEXT://:9092,EXTERNAL://:9093,CONTROLLER://0.0.0.0:9094';
  const given = config({
    listeners,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'advertised.listeners': 'PLAINTEXT://broker.example.com:19092',
  }).listeners;
  assert.equal(given.broker.length, 2);
  assert.deepEqual(given.advertised, [
    { listenerName: 'PLAINTEXT', host: 'broker.example.com', port: 19092, securityProtocol: 'PLAINTEXT' },
  ]);
  assert.equal(given.advertisedController[0]?.host, 'my-host');
  const empty = config({ 'advertised.listeners': 'PLAINTEXT://:1' }).listeners.advertised[0];
  assert.deepEqual([empty?.host, empty?.port], ['my-host', 1]);
});

test('a controller listener takes plaintext from the default map, and a map that is set must have it', () => {
  const listeners = 'PLAINTEXT://:9092,CONTROLLER://:9093';
  assert.equal(config({ listeners }).listeners.controller[0]?.securityProtocol, 'PLAINTEXT');
  const lines = problems(() =>
    config({ listeners, 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT' }),
  );
  assert.match(lines.join(), /no protocol for the listener CONTROLLER/);
});

test('listeners that cannot work are refused', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ listeners: 'PLAINTEXT://h:1,PLAINTEXT://h:2' }, /PLAINTEXT is there twice/],
    [{ listeners: 'PLAINTEXT://h:1,SSL://h:1' }, /cannot both have port 1/],
    [{ listeners: 'h:1' }, /"h:1" is not an endpoint; allowed: NAME:\/\/host:port/],
    [{ listeners: '' }, /a list that is not empty/],
    [{ listeners: 'CONTROLLER://h:1' }, /needs a listener/],
    [
      { listeners: 'PLAINTEXT://0.0.0.0:1' },
      /advertised.listeners is not set; nobody can connect to PLAINTEXT:\/\/0.0.0.0:1/,
    ],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, /nobody can connect/],
    [{ 'advertised.listeners': 'PLAINTEXT://[::]:9092' }, /nobody can connect/],
    [{ 'advertised.listeners': 'OTHER://h:9092' }, /not in listeners/],
    [{ 'advertised.listeners': 'PLAINTEXT://h:1,PLAINTEXT://h:2' }, /is there twice/],
    [{ listeners: 'OTHER://h:1' }, /no protocol for the listener OTHER/],
    [{ listeners: 'SSL://h:1,PLAINTEXT://h:2' }, /SSL asks for SSL, which this version does not have/],
    [
      { listeners: 'PLAINTEXT://h:1,CONTROLLER://h:2', 'advertised.listeners': 'CONTROLLER://h:2' },
      /none of the listeners/,
    ],
    [{ listeners: 'PLAINTEXT://h:1,A://h:2', 'controller.listener.names': 'A,B' }, /B is not in listeners/],
    [{ 'inter.broker.listener.name': 'OTHER' }, /OTHER, which is not advertised; allowed: PLAINTEXT/],
    [
      { 'inter.broker.listener.name': 'PLAINTEXT', 'security.inter.broker.protocol': 'PLAINTEXT' },
      /not both/,
    ],
  ];
  for (const [overrides, expected] of cases)
    assert.match(problems(() => config(overrides)).join('\n'), expected);
});

test('what this version cannot keep safe stops the start, and Java classes are told to have no effect', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ 'authorizer.class.name': 'X' }, /allows everything/],
    [{ 'process.roles': 'broker' }, /both roles/],
    [{ 'controller.quorum.voters': '1@a:1,2@b:1' }, /quorum of one node/],
    [{ 'remote.log.storage.system.enable': 'true' }, /no tiered storage/],
  ];
  for (const [overrides, expected] of cases)
    assert.match(problems(() => config(overrides)).join('\n'), expected);
  assert.deepEqual(config({ 'create.topic.policy.class.name': 'X' }).warnings, [
    'create.topic.policy.class.name is ignored: Odradek does not load Java classes',
  ]);
});

test('voters are read, and bad ones refused', () => {
  assert.deepEqual(config({ 'controller.quorum.voters': '1@[::1]:9093' }).quorumVoters, [
    { nodeId: 1, host: '::1', port: 9093 },
  ]);
  for (const bad of ['1@h', 'h:1', '1@h:1,1@g:1', '1@h:70000']) {
    assert.match(
      problems(() => config({ 'controller.quorum.voters': bad })).join(),
      /controller.quorum.voters/,
      bad,
    );
  }
});

test('values that do not fit together are refused', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [
      { 'group.consumer.heartbeat.interval.ms': '60000' },
      /at most group.consumer.max.heartbeat.interval.ms, which is 15000/,
    ],
    [
      { 'group.consumer.session.timeout.ms': '1' },
      /group.consumer.min.session.timeout.ms = "45000" \(default\)/,
    ],
    [{ 'replica.fetch.wait.max.ms': '40000' }, /at most replica.socket.timeout.ms/],
    [{ 'queued.max.request.bytes': '1' }, /socket.request.max.bytes, which is 104857600/],
    [{ 'log.roll.ms': '0' }, /1 or more/],
    [{ 'log.roll.jitter.ms': '-1' }, /0 or more/],
    [{ 'max.connections.per.ip': '0' }, /nobody could connect/],
    [{ 'max.connections.per.ip.overrides': 'a' }, /host:count/],
    [{ 'log.cleaner.threads': '1000' }, /log.cleaner.dedupe.buffer.size/],
    [{ 'process.roles': '' }, /a list that is not empty/],
  ];
  for (const [overrides, expected] of cases)
    assert.match(problems(() => config(overrides)).join('\n'), expected);
});

test('limits of single addresses are read', () => {
  const given = config({
    'max.connections.per.ip': '0',
    'max.connections.per.ip.overrides': '127.0.0.1:5, ::1:6',
  });
  assert.deepEqual(
    [...given.maxConnectionsPerIp],
    [
      ['127.0.0.1', 5],
      ['::1', 6],
    ],
  );
});

test('the admin port has an address of its own', () => {
  assert.deepEqual(config({ 'odradek.admin.port': '0' }).admin, { host: '127.0.0.1', port: 0 });
});
