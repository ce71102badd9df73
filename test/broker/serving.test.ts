import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorCode } from '../../src/base/errors.ts';
import { codecOf } from '../../src/protocol/codec.ts';
import { readCorrelationId } from '../../src/protocol/headers.ts';
import { ApiVersions, DescribeCluster, DescribeConfigs, IncrementalAlterConfigs, Metadata } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { testInWorlds } from './worlds.ts';

const SOFTWARE = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' };

testInWorlds('ApiVersions tells what is served, and only that', async (world) => {
  const bench = await Bench.open(world);
  const answer = await world.wait(bench.client.call(ApiVersions, 4, SOFTWARE));
  assert.equal(answer.errorCode, ErrorCode.NONE);
  const ranges = new Map(
    answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
  );
  assert.deepEqual(ranges.get(0), [0, 13]);
  assert.deepEqual(ranges.get(1), [4, 18]);
  assert.deepEqual(ranges.get(3), [0, 13]);
  assert.deepEqual(ranges.get(18), [0, 4]);
  assert.deepEqual(ranges.get(9), [1, 10]);
  assert.deepEqual(ranges.get(11), [0, 9]);
  assert.deepEqual(ranges.get(22), [0, 5]);
  assert.deepEqual(
    [...ranges.keys()],
    [...ranges.keys()].sort((a, b) => a - b),
  );
  for (const absent of [24, 26, 36, 71]) assert.equal(ranges.has(absent), false, `API ${absent}`);
  assert.ok(answer.finalizedFeaturesEpoch > 0);
  const levels = new Map(
    answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
  );
  assert.equal(levels.get('metadata.version'), 29);
  assert.ok(answer.supportedFeatures.some(({ minVersion }) => minVersion === 0));
  const older = await world.wait(bench.client.call(ApiVersions, 3, SOFTWARE));
  assert.ok(older.supportedFeatures.every(({ minVersion }) => minVersion > 0));
  for (const version of [0, 1, 2]) {
    const plain = await world.wait(bench.client.call(ApiVersions, version, {}));
    assert.equal(plain.apiKeys.length, answer.apiKeys.length);
  }
});

testInWorlds('software names and versions must have the form of names', async (world) => {
  const bench = await Bench.open(world);
  const code = async (clientSoftwareName: string, clientSoftwareVersion: string) =>
    (await world.wait(bench.client.call(ApiVersions, 3, { clientSoftwareName, clientSoftwareVersion })))
      .errorCode;
  assert.equal(await code('apache-kafka-java', '4.2.1'), ErrorCode.NONE);
  assert.equal(await code('-x', '1'), ErrorCode.INVALID_REQUEST);
  assert.equal(await code('x', ''), ErrorCode.INVALID_REQUEST);
  assert.equal(await code('x y', '1'), ErrorCode.INVALID_REQUEST);
});

testInWorlds('an ApiVersions request that is too new gets the bytes that Kafka gives', async (world) => {
  const bench = await Bench.open(world);
  const path = join(import.meta.dirname, '../../testdata/protocol/frames.jsonl');
  const frames = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { case: string; requestHex: string; responseHex: string });
  const vector = frames.find((frame) => frame.case === 'ApiVersions-unsupported-version');
  assert.ok(vector);
  const expected = Buffer.from(vector.responseHex, 'hex').subarray(4);
  const answer = bench.client.expect(readCorrelationId(expected, 0, expected.length));
  bench.client.sendRaw(Buffer.from(vector.requestHex, 'hex'));
  assert.equal((await world.wait(answer)).toString('hex'), expected.toString('hex'));
  assert.equal((await world.wait(bench.client.call(ApiVersions, 4, SOFTWARE))).errorCode, ErrorCode.NONE);
});

testInWorlds('a frame that is no request ends its connection and touches nothing else', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const prefixed = (body: Buffer) => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(body.length);
    return Buffer.concat([size, body]);
  };
  const cases: [string, Buffer][] = [
    ['a negative size', Buffer.from('ffffffff00000000', 'hex')],
    ['a size over the limit', Buffer.from('7fffffff00000000', 'hex')],
    ['an empty frame', prefixed(Buffer.alloc(0))],
    ['an unknown API', prefixed(Buffer.from('7fff0000000000010000', 'hex'))],
    ['a removed API', prefixed(Buffer.from('00040001000000010000', 'hex'))],
    [
      'a version of Produce that is advertised but not served',
      prefixed(Buffer.from('00000002000000010000', 'hex')),
    ],
    ['a hidden version', prefixed(Buffer.from('001600060000000100000000', 'hex'))],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    [
      'a body that says it is larger than it is',
      prefixed(Buffer.from('000300000000000100007fffffff', 'hex')),
    ],
  ];
  for (const [what, bytes] of cases) {
    const bad = await world.connect(bench.broker);
    const before = world.lines.length;
    bad.sendRaw(bytes);
    await world.wait(bad.ended());
    assert.ok(bad.closed === 'peer' || bad.closed === 'reset', `${what}: ${bad.closed}`);
    await world.pass(5);
    assert.equal(world.lines.slice(before).filter(({ level }) => level !== 'debug').length, 1, what);
  }
  assert.equal((await bench.produce('t', batchOf(['still here']))).errorCode, ErrorCode.NONE);
  assert.equal(bench.broker.counters.handlerFailures, 0);
});

testInWorlds('bytes after the end of a request are ignored and counted', async (world) => {
  const bench = await Bench.open(world);
  const codec = codecOf(Metadata.request, 0);
  const body = codec.encode({ topics: [] });
  const header = Buffer.from('00030000000000630000', 'hex');
  const frame = Buffer.concat([Buffer.alloc(4), header, body, Buffer.from('trailing')]);
  frame.writeInt32BE(frame.length - 4);
  const answer = bench.client.expect(0x63);
  bench.client.sendRaw(frame);
  await world.wait(answer);
  assert.equal(bench.broker.counters.trailingBytes, 8);
});

testInWorlds('each listener tells its own addresses', async (world) => {
  const host = world.name === 'virtual' ? 'broker' : '127.0.0.1';
  const [one, two] = world.name === 'virtual' ? [9092, 9093] : [0, 0];
  const bench = await Bench.open(world, {
    listeners: `PLAINTEXT://${host}:${one},INTERNAL://${host}:${two}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'advertised.listeners': `PLAINTEXT://outside.example:19092,INTERNAL://${host}:0`,
    'inter.broker.listener.name': 'INTERNAL',
  });
  const ports = new Map(bench.broker.addresses.map(({ listenerName, port }) => [listenerName, port]));
  const told = async (client: Bench['client']) => {
    const { brokers } = await world.wait(client.call(Metadata, 12, { topics: [] }));
    return brokers.map((broker) => `${broker.host}:${broker.port}`);
  };
  assert.deepEqual(await told(bench.client), ['outside.example:19092']);
  const inside = await world.connect(bench.broker, 'INTERNAL');
  assert.deepEqual(await told(inside), [`${host}:${ports.get('INTERNAL')}`]);
});

testInWorlds('DescribeCluster tells the brokers of the listener', async (world) => {
  const bench = await Bench.open(world);
  for (let version = 0; version <= 2; version++) {
    const answer = await world.wait(
      bench.client.call(DescribeCluster, version, { includeClusterAuthorizedOperations: true }),
    );
    assert.equal(answer.clusterId, bench.broker.clusterId);
    assert.deepEqual(
      answer.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced]),
      [[1, false]],
    );
    assert.ok(answer.clusterAuthorizedOperations > 0);
  }
  const controllers = await world.wait(
    bench.client.call(DescribeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType: 2 }),
  );
  assert.equal(controllers.errorCode, ErrorCode.MISMATCHED_ENDPOINT_TYPE);
});

testInWorlds('configs of topics and of the broker are described, changed, and take effect', async (world) => {
  const bench = await Bench.open(world, { 'log.retention.hours': '5' });
  await bench.createTopic('t', 1, { 'segment.bytes': '2000000' });
  const describe = async (resourceType: number, resourceName: string, keys: string[] | null) => {
    const answer = await world.wait(
      bench.client.call(DescribeConfigs, 4, {
        resources: [{ resourceType, resourceName, configurationKeys: keys }],
        includeSynonyms: true,
        includeDocumentation: true,
      }),
    );
    const [result] = answer.results;
    assert.ok(result);
    return result;
  };
  const topic = await describe(2, 't', ['segment.bytes', 'retention.ms', 'max.message.bytes']);
  const values = topic.configs
    .map(({ name, value, configSource }) => `${name} ${value} ${configSource}`)
    .sort();
  assert.deepEqual(values, [
    'max.message.bytes 1048588 5',
    'retention.ms 18000000 4',
    'segment.bytes 2000000 1',
  ]);
  assert.ok(topic.configs.every(({ documentation }) => (documentation?.length ?? 0) > 10));
  assert.ok((await describe(2, 't', null)).configs.length > 20);
  const broker = await describe(4, '1', ['log.retention.hours', 'num.partitions']);
  assert.deepEqual(
    broker.configs.map(({ name, value, configSource }) => `${name} ${value} ${configSource}`).sort(),
    ['log.retention.hours 5 4', 'num.partitions 1 5'],
  );
  assert.equal((await describe(2, 'unknown', null)).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal((await describe(4, '7', null)).errorCode, ErrorCode.INVALID_REQUEST);
  const altered = await world.wait(
    bench.client.call(IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: 2,
          resourceName: 't',
          configs: [{ name: 'max.message.bytes', configOperation: 0, value: '500' }],
        },
      ],
      validateOnly: false,
    }),
  );
  assert.equal(altered.responses[0]?.errorCode, ErrorCode.NONE);
  const tooLarge = await bench.produce('t', batchOf(['x'.repeat(600)]));
  assert.equal(tooLarge.errorCode, ErrorCode.MESSAGE_TOO_LARGE);
  await bench.restart();
  assert.equal((await bench.produce('t', batchOf(['x'.repeat(600)]))).errorCode, ErrorCode.MESSAGE_TOO_LARGE);
});

testInWorlds(
  'a config set for all brokers counts for topics that do not set it themselves',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('plain');
    await bench.createTopic('own', 1, { 'max.message.bytes': '1000' });
    const alter = (resourceName: string, value: string) =>
      world.wait(
        bench.client.call(IncrementalAlterConfigs, 1, {
          resources: [
            {
              resourceType: 4,
              resourceName,
              configs: [{ name: 'message.max.bytes', configOperation: 0, value }],
            },
          ],
          validateOnly: false,
        }),
      );
    const takes = async (topic: string, length: number) =>
      (await bench.produce(topic, batchOf(['x'.repeat(length)]))).errorCode === ErrorCode.NONE;
    assert.equal((await alter('', '500')).responses[0]?.errorCode, ErrorCode.NONE);
    assert.deepEqual([await takes('plain', 600), await takes('own', 600)], [false, true]);
    const described = await world.wait(
      bench.client.call(DescribeConfigs, 4, {
        resources: ['plain', 'own'].map((resourceName) => ({
          resourceType: 2,
          resourceName,
          configurationKeys: ['max.message.bytes'],
        })),
        includeSynonyms: true,
      }),
    );
    assert.deepEqual(
      described.results.map(({ configs }) =>
        configs.map(({ value, configSource, synonyms }) => [value, configSource, synonyms.length]),
      ),
      [[['500', 3, 2]], [['1000', 1, 3]]],
    );
    assert.equal((await alter('1', '2000')).responses[0]?.errorCode, ErrorCode.NONE);
    assert.deepEqual([await takes('plain', 600), await takes('own', 1100)], [true, false]);
  },
);

testInWorlds('the admin port tells health and metrics', async (world) => {
  const bench = await Bench.open(world, { 'odradek.admin.port': '0' });
  await bench.createTopic('t');
  await bench.produce('t', batchOf(['a', 'b']));
  const health = await world.http(bench.broker, '/healthz');
  assert.deepEqual([health.status, health.body], [200, 'ok\n']);
  const metrics = await world.http(bench.broker, '/metrics');
  assert.equal(metrics.status, 200);
  assert.match(metrics.contentType, /^text\/plain/);
  assert.match(metrics.body, /^odradek_appended_records_total 2$/m);
  assert.match(metrics.body, /^odradek_requests_total\{api="Produce"\} 1$/m);
  assert.match(metrics.body, /^odradek_leader_partitions 1$/m);
  assert.match((await world.http(bench.broker, '/metrics')).body, /^odradek_appended_records_total 2$/m);
  assert.equal((await world.http(bench.broker, '/other')).status, 404);
});

testInWorlds(
  'a listener that is taken, a foreign directory and an unformatted one stop the start',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t');
    await world.wait(bench.broker.close());
    await assert.rejects(world.start({ 'node.id': '2' }), { code: 'DIRECTORY_MISMATCH' });
    await assert.rejects(world.start({ 'odradek.cluster.id': 'other' }), { code: 'DIRECTORY_MISMATCH' });
    await bench.startAgain({ 'odradek.auto.format': 'false' });
    assert.equal((await bench.metadata(['t'])).topics[0]?.errorCode, ErrorCode.NONE);
  },
);
