import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

test('Apache Kafka itself runs as the oracle, and its tools read what it wrote', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('oracle');
  t.after(directory.remove);
  const kafka = await prepareKafka(tools, directory.path);
  t.after(() => kafka.process.dispose());
  await kafka.process.start();
  const server = ['--bootstrap-server', kafka.process.bootstrap];
  await tools.run('org.apache.kafka.tools.TopicCommand', [...server, '--create', '--topic', 'spool'], {
    timeoutMs: 30_000,
  });
  await tools.run('org.apache.kafka.tools.ConsoleProducer', [...server, '--topic', 'spool'], {
    timeoutMs: 30_000,
    input: 'one\ntwo\nthree\n',
  });
  const offsets = await tools.run('org.apache.kafka.tools.GetOffsetShell', [...server, '--topic', 'spool'], {
    timeoutMs: 30_000,
  });
  assert.equal(offsets.stdout.trim(), 'spool:0:3');
  const dump = await tools.run(
    'kafka.tools.DumpLogSegments',
    [
      '--deep-iteration',
      '--print-data-log',
      '--files',
      join(kafka.dataDirectory, 'spool-0', '00000000000000000000.log'),
    ],
    { timeoutMs: 30_000 },
  );
  assert.match(dump.stdout, /offset: 2 .*payload: three/);
  assert.equal((await kafka.process.stop()).code, 143);
});
