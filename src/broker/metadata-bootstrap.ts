import { BrokerError } from '../base/broker-error.ts';
import { bootstrapRecords } from '../controller/activation.ts';
import type { Compute } from '../io/compute.ts';
import type { Disk } from '../io/disk.ts';
import { awaitDisk, type Steps } from '../log/steps.ts';
import { decodeRecord, type MetadataRecord } from '../metadata/metadata-record.ts';
import { BATCH_HEADER_BYTES, BatchView, isCrcValid } from '../records/batch.ts';
import { buildControlBatch } from '../records/control-records.ts';
import { readRecords } from '../records/reader.ts';
import { buildMetadataBatches } from './metadata-batches.ts';

/** Name of the file in a log directory that says how a new cluster begins. */
export const BOOTSTRAP_FILE = 'bootstrap.checkpoint';

/**
 * The records a new cluster begins with: those of `bootstrap.checkpoint` in the directory (Kafka's `format` writes one), else this version's defaults, which
 * are then written there if `isNew`, so that Kafka's tools and a Kafka node find what they expect.
 * @throws BrokerError for a file that cannot be used, DiskError when it cannot be read or written
 */
export function* openBootstrap(
  disk: Disk,
  compute: Compute,
  directory: string,
  options: { readonly isNew: boolean; readonly nowMs: number },
): Steps<readonly MetadataRecord[]> {
  const path = `${directory}/${BOOTSTRAP_FILE}`;
  if (disk.exists(path)) return parseBootstrap(disk.readFile(path), path, compute);
  const records = bootstrapRecords();
  if (options.isNew) {
    const content = formatBootstrap(records, options.nowMs, compute);
    const error = yield* awaitDisk((done) => disk.replaceFile(path, content, done));
    if (error !== null) throw error;
  }
  return records;
}

/** The file's content (formats §16): a batch with the snapshot header, the records, a batch with the footer; epoch 0, offsets from 0. */
export function formatBootstrap(records: readonly MetadataRecord[], nowMs: number, compute: Compute): Buffer {
  const place = { baseOffset: 1, epoch: 0, timestampMs: nowMs };
  const control = (record: Parameters<typeof buildControlBatch>[0]['records'][number], baseOffset: number) =>
    buildControlBatch(
      { records: [record], timestampMs: nowMs, baseOffset, partitionLeaderEpoch: 0 },
      compute,
    );
  return Buffer.concat([
    control({ type: 'SNAPSHOT_HEADER', lastContainedLogTimestampMs: 0 }, 0),
    ...(buildMetadataBatches(records, false, place, compute) ?? []).map(({ buffer }) => buffer),
    control({ type: 'SNAPSHOT_FOOTER' }, 1 + records.length),
  ]);
}

/** The records in the file's content. @throws BrokerError `METADATA_CORRUPT`, `METADATA_UNSUPPORTED` */
export function parseBootstrap(content: Buffer, path: string, compute: Compute): MetadataRecord[] {
  const corrupt = (): BrokerError =>
    new BrokerError('METADATA_CORRUPT', `${path} is damaged: format the directory anew, or restore the file`);
  const records: MetadataRecord[] = [];
  const view = new BatchView();
  for (let at = 0; at < content.length; at += view.sizeBytes) {
    if (content.length - at < BATCH_HEADER_BYTES) throw corrupt();
    view.at(content, at);
    const end = at + view.sizeBytes;
    if (view.sizeBytes < BATCH_HEADER_BYTES || end > content.length || view.magic !== 2) throw corrupt();
    if (!isCrcValid(compute, content, at, view.sizeBytes)) throw corrupt();
    if (view.isControl) continue;
    for (const record of readRecords(content, at)) {
      if (record.value === null) throw corrupt();
      records.push(decodeRecord(record.value, record.offset));
    }
  }
  return records;
}
