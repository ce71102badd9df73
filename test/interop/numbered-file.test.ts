// A numbered file goes in by every producer and comes out equal and in order by every reader: at once, after a clean restart and after
// a kill. ODRADEK_RECORDS sets how many records; the full proof is a million:
//   ODRADEK_RECORDS=1000000 npm run test:interop -- numbered-file
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RECORD_COUNT, toolOrSkip } from '../harness/environment.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import {
  type NumberedTopic,
  produceWithConsoleProducer,
  produceWithKafkajs,
  produceWithKcat,
  produceWithOwnClient,
  produceWithPlatformatic,
  readWithConsoleConsumer,
  readWithKcat,
  readWithOwnClient,
} from '../harness/numbered-clients.ts';
import { writeNumberedFile } from '../harness/numbered-records.ts';
import { startTarget } from '../harness/target.ts';

/** A client that writes; false when the machine lacks it. */
interface Way {
  readonly topic: string;
  produce(t: TestContext, topic: NumberedTopic): Promise<boolean>;
}

/** A client that reads: null when the partition holds the numbered file, or when the machine lacks the client. */
interface Reader {
  readonly name: string;
  read(t: TestContext, topic: NumberedTopic): Promise<string | null>;
}

const WAYS: readonly Way[] = [
  { topic: 'kafkajs', produce: always((topic) => produceWithKafkajs(topic, false)) },
  { topic: 'kafkajs-idempotent', produce: always((topic) => produceWithKafkajs(topic, true)) },
  { topic: 'platformatic', produce: always(produceWithPlatformatic) },
  { topic: 'own', produce: always((topic) => produceWithOwnClient(topic)) },
  { topic: 'kcat', produce: byKcat([]) },
  { topic: 'kcat-idempotent', produce: byKcat(['-X', 'enable.idempotence=true']) },
  {
    topic: 'console',
    produce: async (t, topic) => {
      const tools = await KafkaTools.orSkip(t);
      if (tools !== null) await produceWithConsoleProducer(tools, topic);
      return tools !== null;
    },
  },
];

const READERS: readonly Reader[] = [
  { name: 'own client', read: (_t, topic) => readWithOwnClient(topic) },
  {
    name: 'kcat',
    read: async (t, topic) => {
      const kcat = toolOrSkip(t, 'kcat');
      return kcat === null ? null : await readWithKcat(kcat, topic);
    },
  },
  {
    name: 'ConsoleConsumer',
    read: async (t, topic) => {
      const tools = await KafkaTools.orSkip(t);
      return tools === null ? null : await readWithConsoleConsumer(tools, topic);
    },
  },
];

function always(produce: (topic: NumberedTopic) => Promise<void>): Way['produce'] {
  return async (_t, topic) => {
    await produce(topic);
    return true;
  };
}

function byKcat(extra: readonly string[]): Way['produce'] {
  return async (t, topic) => {
    const kcat = toolOrSkip(t, 'kcat');
    if (kcat !== null) await produceWithKcat(kcat, topic, extra);
    return kcat !== null;
  };
}

test(`a numbered file of ${RECORD_COUNT} records goes in and out by every client, over restart and kill`, async (t) => {
  const target = await startTarget(t);
  const file = join(target.workDirectory, 'numbered');
  writeNumberedFile(file, RECORD_COUNT);
  const { bootstrap } = target.process;
  const { workDirectory } = target;
  const written: NumberedTopic[] = [];

  for (const way of WAYS) {
    const topic = { bootstrap, topic: way.topic, count: RECORD_COUNT, file, workDirectory };
    await t.test(`${way.topic} writes it`, async (step) => {
      if (await way.produce(step, topic)) written.push(topic);
    });
  }
  const readAll = async (when: string): Promise<void> => {
    for (const topic of written) {
      for (const reader of READERS) {
        await t.test(`${when}, ${reader.name} reads what ${topic.topic} wrote`, async (step) => {
          assert.equal(await reader.read(step, topic), null);
        });
      }
    }
  };
  await readAll('at once');
  await t.test('it stops when it is asked to, and starts again', async () => {
    await target.process.stop(60_000);
    await target.process.start();
  });
  await readAll('after a restart');
  await t.test('it starts again after a kill', async () => {
    await target.process.kill();
    await target.process.start();
  });
  await readAll('after a kill');
});
