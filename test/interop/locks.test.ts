// Two brokers on one directory, ours or Apache Kafka's: the second refuses and says who holds it, the first is not disturbed.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BrokerProcess } from '../harness/broker-process.ts';
import { prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { prepareOdradek } from '../harness/odradek-broker.ts';
import { answers } from '../harness/raw-connection.ts';
import { freePort, temporaryDirectory } from '../harness/temporary.ts';

const REFUSAL_TIMEOUT_MS = 30_000;

test('a second Odradek on the same directory refuses, naming the directory and the holder', async (t) => {
  const directory = temporaryDirectory('locks');
  t.after(directory.remove);
  const dataDirectory = join(directory.path, 'data');
  const first = await prepareOdradek(dataDirectory);
  t.after(() => first.process.dispose());
  await first.process.start();
  const second = await prepareOdradek(dataDirectory);
  second.process.launch();
  const end = await second.process.waitEnd(REFUSAL_TIMEOUT_MS);
  assert.equal(end.code, 1);
  const said = second.process.lines.join('\n');
  assert.ok(said.includes(dataDirectory), said);
  assert.ok(said.includes(String(first.process.pid)), said);
  assert.ok(await answers(first.process.port), 'the first one still answers');

  await first.process.kill();
  await second.process.start();
  await second.process.stop();
});

test('an Odradek on the directory of a running Apache Kafka refuses, naming the holder', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('locks');
  t.after(directory.remove);
  const kafka = await prepareKafka(tools, directory.path);
  t.after(() => kafka.process.dispose());
  await kafka.process.start();
  const odradek = await prepareOdradek(kafka.dataDirectory);
  odradek.process.launch();
  const end = await odradek.process.waitEnd(REFUSAL_TIMEOUT_MS);
  assert.equal(end.code, 1);
  const said = odradek.process.lines.join('\n');
  assert.ok(said.includes(kafka.dataDirectory), said);
  assert.ok(said.includes(String(kafka.process.pid)), said);
  assert.ok(await answers(kafka.process.port), 'Kafka still answers');
});

test('an Apache Kafka on the directory of a running Odradek refuses', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('locks');
  t.after(directory.remove);
  const dataDirectory = join(directory.path, 'data');
  const odradek = await prepareOdradek(dataDirectory);
  t.after(() => odradek.process.dispose());
  await odradek.process.start();
  assert.ok(existsSync(join(dataDirectory, '.lock')));

  const kafka = await kafkaOn(tools, directory.path, dataDirectory);
  t.after(() => kafka.dispose());
  kafka.launch();
  const end = await kafka.waitEnd(REFUSAL_TIMEOUT_MS);
  assert.notEqual(end.code, 0);
  assert.match(kafka.lines.join('\n'), /Failed to acquire lock on file .lock/);
  assert.ok(await answers(odradek.process.port), 'Odradek still answers');
});

/** An Apache Kafka with the node id of the directory, as somebody who moves over would start it. */
async function kafkaOn(tools: KafkaTools, directory: string, dataDirectory: string): Promise<BrokerProcess> {
  const meta = readFileSync(join(dataDirectory, 'meta.properties'), 'latin1');
  const nodeId = /^node\.id=(\d+)$/m.exec(meta)?.[1];
  assert.ok(nodeId !== undefined, meta);
  const port = await freePort();
  const controllerPort = await freePort();
  const file = join(directory, 'kafka', 'server.properties');
  mkdirSync(join(directory, 'kafka'));
  writeFileSync(
    file,
    [
      'process.roles=broker,controller',
      `node.id=${nodeId}`,
      `controller.quorum.voters=${nodeId}@127.0.0.1:${controllerPort}`,
      'controller.listener.names=CONTROLLER',
      `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      `log.dirs=${dataDirectory}`,
      '',
    ].join('\n'),
  );
  return new BrokerProcess({
    name: 'Apache Kafka',
    command: tools.java,
    args: tools.javaArguments('kafka.Kafka', [file], ['-Xmx256m', '-XX:TieredStopAtLevel=1']),
    port,
    startTimeoutMs: REFUSAL_TIMEOUT_MS,
  });
}
