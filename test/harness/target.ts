import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import type { BrokerProcess } from './broker-process.ts';
import { prepareKafka } from './kafka-broker.ts';
import { KafkaTools } from './kafka-tools.ts';
import { prepareOdradek } from './odradek-broker.ts';
import { temporaryDirectory } from './temporary.ts';

/** The broker under test. */
export interface Target {
  readonly process: BrokerProcess;
  readonly dataDirectory: string;
  /** For files of the test; removed with the broker's data. */
  readonly workDirectory: string;
}

/** True when the tests run against Apache Kafka (`ODRADEK_TARGET=kafka`), to see whether a test or the broker is wrong. */
export const TARGET_IS_KAFKA = process.env['ODRADEK_TARGET'] === 'kafka';

/**
 * Prepares and starts the broker that interop tests talk to, on a free port, with data of its own; it is stopped and its data removed after the
 * test.
 * @param settings by their names in `server.properties`.
 */
export async function startTarget(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const directory = temporaryDirectory('interop');
  const workDirectory = join(directory.path, 'work');
  mkdirSync(workDirectory);
  const broker = TARGET_IS_KAFKA
    ? await prepareKafka(await toolsOfTarget(t), directory.path, settings)
    : await prepareOdradek(join(directory.path, 'data'), settings);
  t.after(async () => {
    await broker.process.dispose();
    directory.remove();
  });
  await broker.process.start();
  return { process: broker.process, dataDirectory: broker.dataDirectory, workDirectory };
}

async function toolsOfTarget(t: TestContext): Promise<KafkaTools> {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) throw new Error('ODRADEK_TARGET=kafka needs Apache Kafka');
  return tools;
}
