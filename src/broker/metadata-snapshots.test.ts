import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { createTopics } from '../controller/controller-harness.test.ts';
import { RandomRequests } from '../controller/random-requests.test.ts';
import { PortableCompute } from '../io/node/portable/compute.ts';
import { parseSnapshotFileName } from '../log/metadata-snapshot-store.ts';
import type { Steps } from '../log/steps.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { BatchField, BatchView } from '../records/batch.ts';
import { readSnapshot, snapshotBatches, type SnapshotPreamble } from './metadata-snapshot-format.ts';
import { contentOf, Machine } from './raft-driver-machine.test.ts';

const compute = new PortableCompute();
const SMALL = {
  'metadata.log.max.record.bytes.between.snapshots': '1500',
  'metadata.max.retention.bytes': '4000',
  'internal.metadata.log.segment.bytes': '1000',
};

const topic = (name: string) => createTopics([{ name, numPartitions: 1, replicationFactor: 1 }]);

function run<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function read(content: Buffer): { preamble: SnapshotPreamble; records: MetadataRecord[] } {
  const records: MetadataRecord[] = [];
  const source = {
    path: 'a-snapshot',
    sizeBytes: content.length,
    // Short reads are right.
    read: (position: number, target: Buffer, lengthBytes: number) =>
      content.copy(target, 0, position, position + Math.min(lengthBytes, 100)),
  };
  return { preamble: run(readSnapshot(source, compute, (record) => records.push(record))), records };
}

/** A snapshot made by Kafka's own classes: kraft.version 1 without voters, a feature, a topic; epoch 7. */
function golden(): Buffer {
  const path = new URL('../../testdata/log/files.jsonl', import.meta.url);
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((one) => one.includes('"case":"metadata-snapshot"'));
  return Buffer.from((JSON.parse(line ?? '{}') as { hex: string }).hex, 'hex');
}

/** Snapshots on the disk, by end offset. */
function snapshots(machine: Machine): number[] {
  return machine.disk
    .list(machine.logPath)
    .map(({ name }) => parseSnapshotFileName(name)?.endOffset)
    .filter((offset) => offset !== undefined);
}

const placeOf = ({ provenance }: MetadataImage) => `${provenance.offset} of epoch ${provenance.epoch}`;
const contentWithoutPlace = (image: MetadataImage) => [...image.toRecords()];

test('a snapshot is Kafka’s, byte for byte but for its times', () => {
  const kafkas = golden();
  const { preamble, records } = read(kafkas);
  assert.deepEqual(preamble, {
    lastContainedLogTimestampMs: 1_700_000_000_000,
    kraftVersion: 1,
    voters: null,
  });
  assert.deepEqual(
    records.map(({ type }) => type),
    ['FeatureLevelRecord', 'TopicRecord'],
  );
  const ours = Buffer.concat([...snapshotBatches(preamble, records, { epoch: 7, nowMs: 5 }, compute)]);
  for (const file of [ours, kafkas]) {
    const view = new BatchView();
    for (let at = 0; at < file.length; at += view.sizeBytes) {
      view.at(file, at);
      file.fill(0, at + BatchField.crc, at + BatchField.attributes);
      file.fill(0, at + BatchField.baseTimestamp, at + BatchField.producerId);
    }
  }
  assert.deepEqual(ours, kafkas);
});

test('a snapshot with voters is read as it was written', () => {
  const preamble = {
    lastContainedLogTimestampMs: 77,
    kraftVersion: 1,
    voters: [
      {
        voterId: 3,
        voterDirectoryId: 'AQIDBAUGBwgJCgsMDQ4PEA',
        endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
        minSupportedVersion: 0,
        maxSupportedVersion: 1,
      },
    ],
  } as unknown as SnapshotPreamble;
  const content = Buffer.concat([...snapshotBatches(preamble, [], { epoch: 2, nowMs: 5 }, compute)]);
  assert.deepEqual(read(content), { preamble, records: [] });
});

test('a damaged snapshot is refused whatever byte is wrong, and wherever it ends', () => {
  const good = golden();
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] as number) ^ 0x10;
    // Nothing guards the epoch and the base offset's lack of a gap says nothing of it; formats §5.
    const view = new BatchView();
    let start = 0;
    for (view.at(good, 0); start + view.sizeBytes <= at; view.at(good, start)) start += view.sizeBytes;
    const isEpoch =
      at - start >= BatchField.partitionLeaderEpoch && at - start < BatchField.partitionLeaderEpoch + 4;
    if (isEpoch) continue;
    assert.throws(() => read(bad), { code: 'METADATA_CORRUPT', message: /a-snapshot/ }, `byte ${at}`);
    assert.throws(() => read(good.subarray(0, at)), { code: 'METADATA_CORRUPT' }, `${at} bytes`);
  }
});

test('snapshots are written as the log grows, the log begins where the oldest does, and a start goes on from the newest', () => {
  const machine = new Machine({ configs: SMALL });
  machine.start();
  machine.joinBroker();
  for (let i = 0; i < 60; i++) machine.call(19, topic(`t${i}`), 7);
  machine.clock.runFor(200_000);
  const there = snapshots(machine);
  assert.ok(there.length >= 1 && (there[0] as number) > 50, `old snapshots go: ${there.join(', ')}`);
  const segments = machine.disk.list(machine.logPath).filter(({ name }) => name.endsWith('.log'));
  assert.ok(
    !segments.some(({ name }) => name.startsWith('00000000000000000000')),
    'the log’s beginning is gone',
  );
  const before = contentWithoutPlace(machine.follower.image);
  machine.stop();
  machine.start();
  assert.equal(machine.follower.first?.provenance.offset, (snapshots(machine).at(-1) as number) - 1);
  assert.deepEqual(contentWithoutPlace(machine.follower.image), before);
  machine.driver?.checkInvariants();
  assert.equal(machine.call(19, topic('one-more'), 7).errorCode, 0);
  machine.stop();
});

test('a snapshot is written for time’s sake while there is something new, and only then', () => {
  const machine = new Machine({ configs: { 'metadata.log.max.snapshot.interval.ms': '60000' } });
  machine.start();
  machine.joinBroker();
  machine.call(19, topic('a'), 7);
  // The broker's session ends soon, which is a change; nothing else happens after it.
  machine.clock.runFor(200_000);
  const first = snapshots(machine);
  assert.ok(first.length >= 1);
  machine.clock.runFor(600_000);
  assert.deepEqual(snapshots(machine), first);
  machine.joinBroker();
  assert.equal(machine.call(19, topic('b'), 7).response?.topics[0]?.errorCode, 0);
  machine.clock.runFor(61_000);
  assert.ok(snapshots(machine).length > first.length);
  machine.stop();
});

test('a damaged newest snapshot is passed by while the log has everything, and refused by name when nothing else has', () => {
  const machine = new Machine({ configs: { ...SMALL, 'metadata.max.retention.bytes': '1000000' } });
  machine.start();
  machine.joinBroker();
  for (let i = 0; i < 30; i++) machine.call(19, topic(`t${i}`), 7);
  machine.clock.runFor(1000);
  const before = contentWithoutPlace(machine.follower.image);
  machine.stop();
  damageSnapshots(machine, 0.5);
  machine.start();
  assert.deepEqual(contentWithoutPlace(machine.follower.image), before);
  machine.stop();
  damageSnapshots(machine, 0.7);
  for (const { name } of machine.disk.list(machine.logPath)) {
    if (name.startsWith('00000000000000000000.')) machine.disk.remove(`${machine.logPath}/${name}`);
  }
  const problem = machine.tryStart();
  assert.equal(problem?.code, 'METADATA_CORRUPT');
  assert.match(problem.message, /\.checkpoint is damaged/);
  for (const { name } of machine.disk.list(machine.logPath)) {
    if (parseSnapshotFileName(name) !== null) machine.disk.remove(`${machine.logPath}/${name}`);
  }
  assert.equal(machine.tryStart()?.code, 'METADATA_UNREADABLE');
});

test('a log that ends before the snapshot begins anew after it', () => {
  const machine = new Machine({ configs: SMALL });
  machine.start();
  machine.joinBroker();
  for (let i = 0; i < 30; i++) machine.call(19, topic(`t${i}`), 7);
  machine.clock.runFor(1000);
  machine.stop();
  const newest = snapshots(machine).at(-1) as number;
  for (const { name } of machine.disk.list(machine.logPath)) {
    if (/^\d{20}\.(log|index|timeindex|snapshot)$/.test(name))
      machine.disk.remove(`${machine.logPath}/${name}`);
  }
  machine.start();
  assert.equal(machine.follower.first?.provenance.offset, newest - 1);
  assert.ok(machine.follower.image.topics.size > 0);
  assert.equal(machine.call(19, topic('one-more'), 7).errorCode, 0);
  machine.stop();
  machine.start();
  assert.ok(machine.follower.image.topics.byName('one-more') !== undefined);
  machine.stop();
});

test('a snapshot that cannot be written harms nothing and is tried again', () => {
  const machine = new Machine({ configs: SMALL });
  const driver = machine.start();
  machine.joinBroker();
  const lift = machine.disk.faults.add({ operation: 'rename', pathPrefix: machine.logPath, code: 'ENOSPC' });
  for (let i = 0; i < 30; i++) assert.equal(machine.call(19, topic(`t${i}`), 7).errorCode, 0);
  assert.deepEqual(snapshots(machine), []);
  lift();
  machine.clock.runFor(61_000);
  assert.equal(snapshots(machine).length, 1);
  assert.equal(driver.state, 'leading');
  assert.ok(!machine.disk.list(machine.logPath).some(({ name }) => name.endsWith('.part')));
  machine.stop();
});

test('through crashes at any moment a start finds a state that the log went through, and nothing committed is lost', () => {
  let loaded = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const random = new Random(seed);
    const machine = new Machine({ seed, configs: SMALL });
    const requests = new RandomRequests(random.fork());
    // By offset and epoch: what is lost in a crash leaves its offsets to others.
    const states = new Map<string, unknown>();
    const note = (image: MetadataImage) => states.set(placeOf(image), contentWithoutPlace(image));
    for (let life = 0; life < 4; life++) {
      const driver = machine.start();
      if (life > 0 && snapshots(machine).length > 0) loaded++;
      for (let i = 0; i < 60; i++) {
        note(driver.image);
        const request = requests.next(driver.image);
        machine.ask(request.apiKey, request.body as never, request.apiVersion);
        note(driver.image);
        machine.clock.runFor(random.below(8));
        driver.checkInvariants();
      }
      const committedOffset = machine.follower.image.provenance.offset;
      machine.crash(random.chance(0.5) ? 'power' : 'process');
      const again = machine.start();
      const replayed = machine.follower.images.filter(({ provenance }) => provenance.epoch < again.epoch);
      assert.ok(replayed.length > 0);
      for (const image of replayed) {
        const expected = states.get(placeOf(image));
        assert.ok(expected !== undefined, `seed ${seed}: ${placeOf(image)} was never a state`);
        assert.deepEqual(contentWithoutPlace(image), expected, `seed ${seed}: ${placeOf(image)}`);
      }
      assert.ok(
        machine.follower.image.provenance.offset >= committedOffset,
        `seed ${seed}: nothing committed is lost`,
      );
      assert.deepEqual(contentOf(again.image), contentOf(machine.follower.image));
      again.checkInvariants();
      note(again.image);
      machine.stop();
    }
  }
  assert.ok(loaded > 30, `snapshots were loaded: ${loaded}`);
});

/** Flips a bit in each snapshot, a part of the way through. */
function damageSnapshots(machine: Machine, part: number): void {
  for (const { name } of machine.disk.list(machine.logPath)) {
    if (parseSnapshotFileName(name) !== null) damage(machine, name, part);
  }
}

function damage(machine: Machine, name: string, part: number): void {
  const path = `${machine.logPath}/${name}`;
  const file = machine.disk.open(path, 'read-write');
  const byte = Buffer.alloc(1);
  const position = Math.floor(file.sizeBytes * part);
  file.read(position, byte, 0, 1);
  byte[0] = (byte[0] as number) ^ 1;
  file.write(position, byte);
  file.close();
}
