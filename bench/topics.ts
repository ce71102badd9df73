/** Topics for benchmarks: made by the project's client, filled by the load program. */
import { Admin } from '../src/client/admin.ts';
import { createPorts } from '../src/io/node/ports.ts';
import type { Uuid } from '../src/base/uuid.ts';
import { loadBeside, type Server } from './harness.ts';
import { batchOfSize, produceFrame } from './requests.ts';

/** Makes a topic and returns its id. */
export async function createTopic(
  broker: Server,
  name: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<Uuid> {
  const ports = createPorts();
  const admin = new Admin(ports, { bootstrap: [`127.0.0.1:${broker.port}`] });
  try {
    const [outcome] = await admin.createTopics([{ name, numPartitions, replicationFactor: 1, configs }]);
    if (outcome === undefined || outcome.error !== null) throw outcome?.error ?? new Error('no answer');
    return outcome.topicId;
  } finally {
    admin.close();
    await new Promise<void>((done) => ports.network.shutdown(done));
    await new Promise<void>((done) => ports.disk.close(done));
  }
}

/** Fills partition 0 of a topic with `totalBytes` of batches of `batchBytes`; returns how many records each has. */
export async function fillTopic(
  broker: Server,
  topic: string,
  batchBytes: number,
  totalBytes: number,
): Promise<number> {
  const { batch, records } = batchOfSize(batchBytes, 1024);
  const answers = Math.ceil(totalBytes / batchBytes);
  const report = await loadBeside(broker.port, {
    frames: [produceFrame(topic, 0, batch)],
    connections: 1,
    depth: 4,
    seconds: 60,
    answers,
  });
  if (report.answers !== answers) throw new Error(`only ${report.answers} of ${answers} batches were taken`);
  return records;
}
