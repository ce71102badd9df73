import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootstrapRecords } from '../controller/activation.ts';
import { PortableCompute } from '../io/node/portable/compute.ts';
import type { Steps } from '../log/steps.ts';
import { metadataRecord } from '../metadata/metadata-record.ts';
import { BatchField, BatchView } from '../records/batch.ts';
import { buildMetadataBatches, MAX_RECORDS_A_BATCH } from './metadata-batches.ts';
import { formatBootstrap, parseBootstrap } from './metadata-bootstrap.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { formatQuorumState, parseQuorumState } from './metadata-quorum-state.ts';

const compute = new PortableCompute();

/** Runs steps that wait for nothing. */
function run<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    assert.equal(step.value, undefined);
  }
}

const parse = (content: Buffer, path: string) => run(parseBootstrap(content, path, compute));

/** Files made by Kafka's own classes. */
function golden(name: string): { hex: string; text: string } {
  const path = new URL('../../testdata/log/files.jsonl', import.meta.url);
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.includes(`"case":"${name}"`)) return JSON.parse(line) as { hex: string; text: string };
  }
  throw new Error(`there is no golden file ${name}`);
}

/** The bytes with all times, and the checksums that cover them, set to zero. */
function withoutTimes(file: Buffer): Buffer {
  const out = Buffer.from(file);
  const view = new BatchView();
  for (let at = 0; at < out.length; at += view.sizeBytes) {
    view.at(out, at);
    out.fill(0, at + BatchField.crc, at + BatchField.attributes);
    out.fill(0, at + BatchField.baseTimestamp, at + BatchField.producerId);
  }
  return out;
}

test('bootstrap.checkpoint is Kafka’s, byte for byte but for its times', () => {
  const kafkas = Buffer.from(golden('bootstrap.checkpoint').hex, 'hex');
  const records = parse(kafkas, 'bootstrap.checkpoint');
  assert.deepEqual(records, [
    metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 29 }),
  ]);
  assert.deepEqual(withoutTimes(formatBootstrap(records, 12_345, compute)), withoutTimes(kafkas));
  const ours = formatBootstrap(bootstrapRecords(), 12_345, compute);
  assert.deepEqual(parse(ours, 'bootstrap.checkpoint'), bootstrapRecords());
});

test('a damaged bootstrap.checkpoint is refused whatever byte is wrong, and however short it is', () => {
  const good = formatBootstrap(bootstrapRecords(), 12_345, compute);
  const view = new BatchView();
  for (let at = 0; at < good.length; at += view.sizeBytes) {
    view.at(good, at);
    const bad = Buffer.from(good);
    bad[at + view.sizeBytes - 2] = (bad[at + view.sizeBytes - 2] as number) ^ 1;
    assert.throws(() => parse(bad, 'f'), { code: 'METADATA_CORRUPT' }, `batch at ${at}`);
    const short = good.subarray(0, at + view.sizeBytes - 1);
    assert.throws(() => parse(short, 'f'), { code: 'METADATA_CORRUPT' });
  }
});

test('quorum-state is Kafka’s, byte for byte', () => {
  const { text } = golden('quorum-state-v0');
  const state = parseQuorumState(text, 'quorum-state');
  const common = { epoch: 5, leaderId: -1, votedId: 2 };
  assert.deepEqual(state, { ...common, votedDirectoryId: ZERO_UUID, kraftVersion: 0, voterIds: [1] });
  assert.equal(formatQuorumState(state), text);
  const dynamic = golden('quorum-state-v1').text;
  const inLog = parseQuorumState(dynamic, 'quorum-state');
  assert.equal(inLog.kraftVersion, 1);
  assert.equal(formatQuorumState(inLog), dynamic);
  const later = dynamic.replace('"data_version":1', '"data_version":2');
  assert.throws(() => parseQuorumState(later, 'quorum-state'), { code: 'METADATA_UNSUPPORTED' });
  for (const bad of ['', '{', '[]', 'null', '{"data_version":0}', '{"data_version":"0"}']) {
    assert.throws(() => parseQuorumState(bad, 'quorum-state'), { code: 'METADATA_CORRUPT' }, bad);
  }
});

test('records that must stay together are one batch, others are split', () => {
  const count = 2 * MAX_RECORDS_A_BATCH + 1;
  const records = Array.from({ length: count }, (_, i) =>
    metadataRecord('FeatureLevelRecord', { name: `f${i}`, featureLevel: 1 }),
  );
  const place = { baseOffset: 100, epoch: 3, timestampMs: 5 };
  const sizes = (isAtomic: boolean) =>
    buildMetadataBatches(records, isAtomic, place, compute)?.map(({ buffer, records: part }) => {
      const view = new BatchView().at(buffer, 0);
      assert.equal(view.recordCount, part.length);
      return [view.baseOffset, view.recordCount];
    });
  assert.deepEqual(sizes(true), [[100, count]]);
  assert.deepEqual(sizes(false), [
    [100, MAX_RECORDS_A_BATCH],
    [100 + MAX_RECORDS_A_BATCH, MAX_RECORDS_A_BATCH],
    [100 + 2 * MAX_RECORDS_A_BATCH, 1],
  ]);
  const huge = Array.from({ length: 400 }, () =>
    metadataRecord('FeatureLevelRecord', { name: 'x'.repeat(30_000), featureLevel: 1 }),
  );
  assert.equal(buildMetadataBatches(huge, true, place, compute), null);
  assert.equal(buildMetadataBatches(huge, false, place, compute)?.length, 2);
});
