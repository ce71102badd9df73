import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerConfig } from './broker-config.ts';
import { environmentSettings } from './environment.ts';
import { type ConfigFlags, fileSettings, gatherSettings } from './sources.ts';

function gather(options: { file?: string; environment?: Record<string, string>; flags?: ConfigFlags }) {
  const file = options.file === undefined ? null : { name: 'f', content: Buffer.from(options.file) };
  const settings = gatherSettings({
    file,
    environment: options.environment ?? {},
    flags: options.flags ?? {},
  });
  return (name: string) => {
    const setting = settings.get(name);
    return setting === undefined ? null : `${setting.text} (${setting.origin})`;
  };
}

test('file, environment and flags lie over each other in this order', () => {
  const file = 'a=1\nb=1\nc=1\nlog.dirs=/f\na=2';
  const get = gather({
    file,
    environment: { KAFKA_B: '3', KAFKA_C: '3' },
    flags: { set: ['c=4', 'c=5', 'd=x=y'], dataDir: '/d' },
  });
  assert.equal(get('a'), '2 (f, line 5)');
  assert.equal(get('b'), '3 (KAFKA_B)');
  assert.equal(get('c'), '5 (--set)');
  assert.equal(get('d'), 'x=y (--set)');
  assert.equal(get('log.dirs'), '/d (--data-dir)');
  assert.equal(get('process.roles'), null);
});

test('without a file the development profile lies below', () => {
  const get = gather({ environment: { KAFKA_NUM_PARTITIONS: '3' } });
  assert.equal(get('process.roles'), 'broker,controller (development profile)');
  assert.equal(get('num.partitions'), '3 (KAFKA_NUM_PARTITIONS)');
  assert.equal(gather({ environment: { KAFKA_BROKER_ID: '5' } })('node.id'), null);
});

test('flags name their settings', () => {
  const get = gather({
    flags: { adminPort: '1', clusterId: 'c', format: true, logFormat: 'json', logLevel: 'warn' },
  });
  assert.equal(get('odradek.admin.port'), '1 (--admin-port)');
  assert.equal(get('odradek.cluster.id'), 'c (--cluster-id)');
  assert.equal(get('odradek.auto.format'), 'true (--format)');
  assert.equal(get('odradek.log.format'), 'json (--log-format)');
  assert.equal(get('odradek.log.level'), 'warn (--log-level)');
});

test('--port changes the first listener of clients, and what it advertises where that had the same port', () => {
  assert.equal(gather({ flags: { port: '1' } })('listeners'), 'PLAINTEXT://127.0.0.1:1 (--port)');
  const listeners =
    'listeners=CONTROLLER://:9093,A://[::1]:9092,B://h:9094\ncontroller.listener.names=controller\n';
  const get = gather({
    file: `${listeners}advertised.listeners=B://x:9092,A://y:9092`,
    flags: { port: '1' },
  });
  assert.equal(get('listeners'), 'CONTROLLER://:9093,A://[::1]:1,B://h:9094 (--port)');
  assert.equal(get('advertised.listeners'), 'B://x:9092,A://y:1 (f, line 3)');
  const nat = gather({ file: `${listeners}advertised.listeners=A://y:30092`, flags: { port: '1' } });
  assert.equal(nat('advertised.listeners'), 'A://y:30092 (f, line 3)');
  assert.equal(gather({ file: '', flags: { port: '1' } })('listeners'), 'PLAINTEXT://:1 (--port)');
});

test('flags that say nothing are refused', () => {
  for (const port of ['', 'x', '65536', '-1', '1.5']) {
    assert.throws(() => gather({ flags: { port } }), {
      code: 'CONFIG_INVALID',
      message: /\(--port\).*0 to 65535/,
    });
  }
  for (const set of ['', 'name', '=value']) {
    assert.throws(() => gather({ flags: { set: [set] } }), {
      code: 'CONFIG_INVALID',
      message: /--set name=value/,
    });
  }
});

test('variables are named as in the container images, and those of scripts, JVM and Kubernetes are passed over', () => {
  const settings = environmentSettings({
    KAFKA_LOG_DIRS: '/x',
    KAFKA_LISTENER_NAME_SASL__SSL_SCRAM___SHA___256_SASL_JAAS_CONFIG: 'j',
    CLUSTER_ID: 'c',
    KAFKA_HEAP_OPTS: '-Xmx1G',
    KAFKA_LOG4J_OPTS: 'x',
    KAFKA_JMX_OPTS: 'x',
    KAFKA_GC_LOG_OPTS: 'x',
    KAFKA_JVM_PERFORMANCE_OPTS: 'x',
    KAFKA_OPTS: 'x',
    KAFKA_DEBUG: 'y',
    KAFKA_CLASSPATH: 'x',
    KAFKA_HOME: '/opt/kafka',
    KAFKA_PORT_9092_TCP: 'tcp://10.0.0.1:9092',
    KAFKA_SERVICE_HOST: '10.0.0.1',
    LOG_DIR: '/logs',
    JMX_PORT: '9999',
    KAFKA_: 'x',
    KAFKA_UNSET: undefined,
  });
  assert.deepEqual(
    [...settings].map(([name, { text }]) => `${name}=${text}`),
    ['log.dirs=/x', 'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=j', 'odradek.cluster.id=c'],
  );
});

test('the settings of the file that comes with Kafka 4 start a node without a warning', () => {
  const file = `
    process.roles=broker,controller
    node.id=1
    controller.quorum.bootstrap.servers=localhost:9093
    listeners=PLAINTEXT://:9092,CONTROLLER://:9093
    inter.broker.listener.name=PLAINTEXT
    advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
    controller.listener.names=CONTROLLER
    listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
    num.network.threads=3
    num.io.threads=8
    socket.send.buffer.bytes=102400
    socket.receive.buffer.bytes=102400
    socket.request.max.bytes=104857600
    log.dirs=/tmp/kraft-combined-logs
    num.partitions=1
    num.recovery.threads.per.data.dir=1
    offsets.topic.replication.factor=1
    share.coordinator.state.topic.replication.factor=1
    share.coordinator.state.topic.min.isr=1
    transaction.state.log.replication.factor=1
    transaction.state.log.min.isr=1
    log.retention.hours=168
    log.segment.bytes=1073741824
    log.retention.check.interval.ms=300000
  `;
  const config = new BrokerConfig(fileSettings('server.properties', Buffer.from(file)), {
    hostName: 'h',
    workingDirectory: '/',
  });
  assert.deepEqual(config.warnings, []);
  assert.equal(config.listeners.advertised[0]?.host, 'localhost');
  assert.equal(config.listeners.controller.length, 1);
  assert.deepEqual(config.logDirs, ['/tmp/kraft-combined-logs']);
  assert.equal(config.get('odradek.auto.format'), false);
});
