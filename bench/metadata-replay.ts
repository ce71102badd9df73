// Loads the metadata of a large cluster from a snapshot, as a controller does at its start, and prints what it took, as JSON. Run by bench/rows/metadata.ts in a process of its own, so that
// the memory is that of this work.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { Random } from '../src/base/random.ts';
import { randomUuid, type Uuid } from '../src/base/uuid.ts';
import { readSnapshot, snapshotBatches } from '../src/broker/metadata-snapshot-format.ts';
import { bootstrapRecords } from '../src/controller/activation.ts';
import { ConfigRules } from '../src/controller/config-rules.ts';
import { Controller } from '../src/controller/controller.ts';
import { developmentConfig } from '../src/config/development.ts';
import { createPorts } from '../src/io/node/ports.ts';
import { runSteps } from '../src/log/steps.ts';
import { type MetadataRecord, metadataRecord } from '../src/metadata/metadata-record.ts';

const [path = '', topicText = '', partitionText = ''] = process.argv.slice(2);
const TOPICS = Number(topicText);
const PARTITIONS_A_TOPIC = Number(partitionText);
const BROKERS = 300;

/** What is printed. */
export interface ReplayReport {
  readonly partitions: number;
  readonly fileBytes: number;
  readonly loadMs: number;
  readonly longestTurnMs: number;
  readonly heapBytes: number;
  readonly snapshotMs: number;
}

function* records(random: Random): IterableIterator<MetadataRecord> {
  yield* bootstrapRecords();
  const directories: Uuid[] = Array.from({ length: BROKERS }, () => randomUuid(random));
  for (let topic = 0; topic < TOPICS; topic++) {
    const topicId = randomUuid(random);
    yield metadataRecord('TopicRecord', { name: `topic-${topic}`, topicId });
    for (let partitionId = 0; partitionId < PARTITIONS_A_TOPIC; partitionId++) {
      const first = random.below(BROKERS);
      const replicas = [first, (first + 1) % BROKERS, (first + 2) % BROKERS];
      yield metadataRecord(
        'PartitionRecord',
        {
          partitionId,
          topicId,
          replicas,
          isr: replicas,
          removingReplicas: [],
          addingReplicas: [],
          leader: first,
          leaderRecoveryState: 0,
          leaderEpoch: 1,
          partitionEpoch: 1,
          directories: replicas.map((replica) => directories[replica] as Uuid),
          eligibleLeaderReplicas: null,
          lastKnownElr: null,
        },
        2,
      );
    }
  }
}

const { compute, clock } = createPorts();
const preamble = { lastContainedLogTimestampMs: 0, kraftVersion: 0, voters: null };
const stamp = { epoch: 1, nowMs: 0 };

function write(source: Iterable<MetadataRecord>): number {
  const started = performance.now();
  const file = openSync(path, 'w');
  for (const batch of snapshotBatches(preamble, source, stamp, compute)) writeSync(file, batch);
  closeSync(file);
  return performance.now() - started;
}

write(records(new Random(1)));
const controller = new Controller({
  clusterId: 'bench',
  configRules: new ConfigRules(developmentConfig({}, { hostName: 'localhost', workingDirectory: '/' })),
  random: new Random(2),
  colocatedBrokerId: null,
});
globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed;
const file = openSync(path, 'r');
const fileBytes = readSize();
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
const started = performance.now();
const source = {
  path,
  sizeBytes: fileBytes,
  read: (position: number, target: Buffer, lengthBytes: number) =>
    readSync(file, target, 0, lengthBytes, position),
};
runSteps(
  clock,
  readSnapshot(source, compute, (record, offset) => controller.replay(record, offset)),
  (error) => {
    if (error !== null) throw error;
    controller.completeBatch({ offset: 10_000_000, epoch: 1, timestampMs: 0 });
    const loadMs = performance.now() - started;
    setImmediate(() => {
      delays.disable();
      globalThis.gc?.();
      const report: ReplayReport = {
        partitions: TOPICS * PARTITIONS_A_TOPIC,
        fileBytes,
        loadMs,
        longestTurnMs: delays.max / 1e6,
        heapBytes: process.memoryUsage().heapUsed - heapBefore,
        snapshotMs: write(controller.image.toRecords()),
      };
      console.log(JSON.stringify(report));
    });
  },
);

function readSize(): number {
  const buffer = Buffer.alloc(1 << 20);
  let size = 0;
  for (let read = -1; read !== 0; size += read) read = readSync(file, buffer, 0, buffer.length, size);
  return size;
}
