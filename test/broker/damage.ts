/** A data directory as a whole broker left it, what was written into it, and what a start makes of it once a file is damaged. */
import assert from 'node:assert/strict';
import type { VirtualDisk } from '../../sim/virtual/disk.ts';
import { BrokerError } from '../../src/base/broker-error.ts';
import type { Random } from '../../src/base/random.ts';
import { BatchView, isCrcValid } from '../../src/records/batch.ts';
import { buildCompressedBatch } from '../../src/records/builder.ts';
import { ListOffsets } from './apis.ts';
import { batchOf, Bench, compute } from './records.ts';
import { type VirtualTestWorld, virtualWorld } from './worlds.ts';

/** Where a record batch's crc begins to cover it. */
const COVERED_AT = 21;
const HEADER_BYTES = 61;
const START_MS = 1_767_225_600_000;
const DATA = '/data';
const BATCHES = 14;
/** UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR. */
const NOT_SERVED: ReadonlySet<number> = new Set([3, 6, 56]);

/** Topics and how their batches are made: each has several segments, two have producers. */
const TOPICS = [
  { topic: 'plain', codec: 0, isIdempotent: false },
  { topic: 'gzip', codec: 1, isIdempotent: false },
  { topic: 'snappy', codec: 2, isIdempotent: true },
  { topic: 'lz4', codec: 3, isIdempotent: false },
  { topic: 'zstd', codec: 4, isIdempotent: true },
] as const;

interface WrittenBatch {
  readonly covered: string;
  readonly lastOffset: number;
  readonly timestampMs: number;
}

/** What clients wrote to partition 0 of a topic, by base offset. */
interface Written {
  readonly topic: string;
  readonly batches: Map<number, WrittenBatch>;
}

/** A directory, and what was written into it. */
export interface Sample {
  readonly name: string;
  readonly image: ReadonlyMap<string, Buffer>;
  readonly written: readonly Written[];
  readonly wasClean: boolean;
}

/** Damage to one file. */
export interface Damage {
  readonly path: string;
  readonly kind: 'flip' | 'cut' | 'empty';
  /** Byte that is changed, or the new size. */
  readonly position: number;
  readonly bit: number;
}

/** Runs a broker, writes into it and stops it, well or not. */
export async function makeSample(wasClean: boolean): Promise<Sample> {
  const world = virtualWorld(wasClean ? 5 : 6);
  const bench = await Bench.open(world, { 'log.initial.task.delay.ms': '500' });
  const written: Written[] = [];
  for (const [i, { topic, codec, isIdempotent }] of TOPICS.entries()) {
    await bench.createTopic(topic, 1, { 'segment.ms': '4000', 'index.interval.bytes': '250' });
    const batches = new Map<number, WrittenBatch>();
    for (let n = 0; n < BATCHES; n++) {
      const timestampMs = START_MS + n * 1000;
      const values = Array.from({ length: 3 }, (_, k) => `${topic} ${n} ${k} `.padEnd(50 + n, 'x'));
      const producer = isIdempotent ? { producerId: 7 + i, producerEpoch: 0, baseSequence: n * 3 } : {};
      const batch = await compressed(
        batchOf(values, producer, timestampMs),
        values,
        producer,
        timestampMs,
        codec,
      );
      const result = await bench.produce(topic, batch);
      assert.equal(result.errorCode, 0, result.errorMessage ?? '');
      const baseOffset = Number(result.baseOffset);
      batches.set(baseOffset, { covered: coveredBytes(batch, 0), lastOffset: baseOffset + 2, timestampMs });
    }
    written.push({ topic, batches });
  }
  await world.pass(10_000);
  if (wasClean) await world.wait(bench.broker.close());
  else world.kill();
  const image = new Map<string, Buffer>();
  collect(world.disk, DATA, image);
  return { name: wasClean ? 'after a clean stop' : 'after a crash', image, written, wasClean };
}

/** `count` damages spread over all kinds of files and all of each file; `0` gives every byte of every file, a cut at each, and an empty one. */
export function damages(sample: Sample, count: number, random: Random): Damage[] {
  const files = [...sample.image].filter(([path]) => !path.endsWith('/.lock'));
  const all: Damage[] = [];
  const flip = (path: string, position: number): void => {
    all.push({ path, kind: 'flip', position, bit: random.below(8) });
  };
  const perFile = Math.ceil(count / files.length / 2);
  for (const [path, content] of files) {
    all.push({ path, kind: 'empty', position: 0, bit: 0 });
    const positions = count === 0 ? content.length : Math.min(perFile, content.length);
    for (let i = 0; i < positions; i++) {
      flip(path, count === 0 ? i : random.below(content.length));
      const position = count === 0 ? i : random.below(content.length);
      all.push({ path, kind: 'cut', position, bit: 0 });
    }
  }
  return all;
}

/** In words, for messages. */
export function damageText({ path, kind, position, bit }: Damage): string {
  return kind === 'flip'
    ? `${path}: bit ${bit} of byte ${position} flipped`
    : `${path}: ${kind} at ${position}`;
}

/** What a start made of it. */
export type Outcome = 'whole' | 'refused' | 'less' | 'told by crc';

/**
 * Starts a broker on the damaged directory and reads everything as a consumer does. @throws AssertionError if it serves something that was not written there, loses something
 * without a word, or refuses without naming the file
 */
export async function startOn(sample: Sample, damage: Damage): Promise<Outcome> {
  const world = virtualWorld(9);
  await restore(world, sample, damage);
  let bench: Bench;
  try {
    bench = await Bench.open(world);
  } catch (error) {
    assert.ok(error instanceof BrokerError, `an operating error, not ${String((error as Error).stack)}`);
    const text = `${error.message} ${String((error.cause as Error | undefined)?.message ?? '')}`;
    const logged = world.lines.map(({ message, fields }) => `${message} ${fieldText(fields)}`).join(' ');
    const name = damage.path.slice(damage.path.lastIndexOf('/') + 1);
    assert.ok(`${text} ${logged}`.includes(name), `the refusal names ${name}: ${text}`);
    return 'refused';
  }
  let outcome: Outcome = 'whole';
  for (const written of sample.written) {
    const found = await readTopic(bench, written, isUncovered(sample, damage));
    if (found === 'told by crc')
      assert.ok(sample.wasClean && damage.path.endsWith('.log'), 'only what was trusted may be torn');
    if (found !== 'whole') outcome = found;
    if (found === 'whole' && damage.path.includes(`/${written.topic}-0/`)) await lookUp(bench, written);
  }
  // Another id of the directory, well formed, is taken at its word: then the replicas are elsewhere.
  if (outcome === 'less' && !damage.path.endsWith('/meta.properties')) {
    const told = world.lines.some(({ level }) => level === 'warn' || level === 'error');
    assert.ok(told, 'what is lost is told');
  }
  bench.broker.checkInvariants();
  world.kill();
  return outcome;
}

/** The first bytes of a batch, which no crc covers, in a segment that was left by a clean stop: they are believed, as Kafka does (ADR 0014). */
function isUncovered(sample: Sample, damage: Damage): boolean {
  const content = sample.image.get(damage.path) as Buffer;
  if (damage.kind !== 'flip' || !damage.path.endsWith('.log')) return false;
  let at = 0;
  while (at + HEADER_BYTES <= content.length && at + content.readInt32BE(at + 8) + 12 <= damage.position)
    at += content.readInt32BE(at + 8) + 12;
  return damage.position - at < 17;
}

async function readTopic(bench: Bench, written: Written, isUncoveredHeader: boolean): Promise<Outcome> {
  const { topic, batches } = written;
  const first = await bench.fetch(topic, 0);
  if (NOT_SERVED.has(first.errorCode)) return 'less';
  let next = Math.max(0, Number(first.logStartOffset));
  const seen = new Set<string>();
  for (let rounds = 0; rounds < 200; rounds++) {
    const { errorCode, highWatermark, records } = await bench.fetch(topic, next);
    if (NOT_SERVED.has(errorCode)) return 'less';
    assert.equal(errorCode, 0, `fetch of ${topic} at ${next}`);
    if (records === null || records.length === 0) {
      if (next < Number(highWatermark))
        return isUncoveredHeader ? 'told by crc' : assert.fail(`nothing at ${next}`);
      return seen.size === batches.size ? 'whole' : 'less';
    }
    const view = new BatchView();
    let position = 0;
    for (; position + HEADER_BYTES <= records.length; position += view.sizeBytes) {
      view.at(records, position);
      if (view.sizeBytes < HEADER_BYTES || position + view.sizeBytes > records.length) break;
      if (view.magic !== 2 || !isCrcValid(compute, records, position, view.sizeBytes)) return 'told by crc';
      const covered = coveredBytes(records, position);
      const known = batches.get(view.baseOffset);
      if (!isUncoveredHeader)
        assert.equal(known?.covered, covered, `the batch at ${view.baseOffset} of ${topic}`);
      else
        assert.ok(
          [...batches.values()].some((one) => one.covered === covered),
          'a batch that was written',
        );
      seen.add(covered);
      next = Math.max(next, view.endOffset);
    }
    if (position === 0) return 'told by crc';
  }
  return isUncoveredHeader ? 'told by crc' : assert.fail(`reading ${topic} comes to no end`);
}

/** Every offset and every timestamp is found where it is. */
async function lookUp(bench: Bench, { topic, batches }: Written): Promise<void> {
  for (const [baseOffset, { lastOffset, timestampMs }] of batches) {
    const { records } = await bench.fetch(topic, lastOffset, { maxBytes: 1 });
    assert.ok(records !== null && records.length > 0, `offset ${lastOffset} of ${topic} is found`);
    assert.equal(new BatchView().at(records, 0).baseOffset, baseOffset);
    const answer = await bench.world.wait(
      bench.client.call(ListOffsets, 5, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [
          {
            name: topic,
            partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: timestampMs }],
          },
        ],
      }),
    );
    assert.equal(
      Number(answer.topics[0]?.partitions[0]?.offset),
      baseOffset,
      `time ${timestampMs} of ${topic}`,
    );
  }
}

async function restore(world: VirtualTestWorld, sample: Sample, damage: Damage): Promise<void> {
  for (const [path, content] of sample.image) {
    world.disk.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    const file = world.disk.open(path, 'create');
    const bytes = path === damage.path ? damaged(content, damage) : content;
    if (bytes.length > 0) file.append([bytes], (error) => assert.equal(error, null));
  }
  await world.pass(1000);
  world.disk.crash('process');
}

function damaged(content: Buffer, { kind, position, bit }: Damage): Buffer {
  if (kind !== 'flip') return content.subarray(0, position);
  const bytes = Buffer.from(content);
  bytes[position] = (bytes[position] as number) ^ (1 << bit);
  return bytes;
}

function collect(disk: VirtualDisk, path: string, image: Map<string, Buffer>): void {
  for (const { name, kind } of disk.list(path)) {
    if (kind === 'directory') collect(disk, `${path}/${name}`, image);
    else image.set(`${path}/${name}`, disk.readFile(`${path}/${name}`));
  }
}

function compressed(
  plain: Buffer,
  values: readonly string[],
  producer: object,
  timestampMs: number,
  codec: 0 | 1 | 2 | 3 | 4,
): Promise<Buffer> {
  if (codec === 0) return Promise.resolve(plain);
  const records = values.map((value) => ({ key: null, value: Buffer.from(value), timestampMs }));
  return new Promise((resolve, reject) => {
    buildCompressedBatch({ records, ...producer }, { codec, level: null }, compute, (error, batch) =>
      batch === null ? reject(error as Error) : resolve(batch),
    );
  });
}

function coveredBytes(bytes: Buffer, start: number): string {
  const end = start + new BatchView().at(bytes, start).sizeBytes;
  return bytes.toString('latin1', start + COVERED_AT, end);
}

function fieldText(fields: Readonly<Record<string, unknown>>): string {
  return Object.values(fields).map(String).join(' ');
}
