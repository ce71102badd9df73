import { bootstrapRecords } from '../controller/activation.ts';
import type { Compute } from '../io/compute.ts';
import type { Disk } from '../io/disk.ts';
import { awaitDisk, type Steps } from '../log/steps.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { readSnapshot, snapshotBatches } from './metadata-snapshot-format.ts';

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
  if (disk.exists(path)) return yield* parseBootstrap(disk.readFile(path), path, compute);
  const records = bootstrapRecords();
  if (options.isNew) {
    const content = formatBootstrap(records, options.nowMs, compute);
    const error = yield* awaitDisk((done) => disk.replaceFile(path, content, done));
    if (error !== null) throw error;
  }
  return records;
}

/** The file's content: a snapshot of epoch 0 (formats §16). */
export function formatBootstrap(records: readonly MetadataRecord[], nowMs: number, compute: Compute): Buffer {
  const preamble = { lastContainedLogTimestampMs: 0, kraftVersion: 0, voters: null };
  return Buffer.concat([...snapshotBatches(preamble, records, { epoch: 0, nowMs }, compute)]);
}

/** The records in the file's content. @throws BrokerError `METADATA_CORRUPT`, `METADATA_UNSUPPORTED` */
export function* parseBootstrap(content: Buffer, path: string, compute: Compute): Steps<MetadataRecord[]> {
  const records: MetadataRecord[] = [];
  const source = {
    path,
    sizeBytes: content.length,
    read: (position: number, target: Buffer, lengthBytes: number) =>
      content.copy(target, 0, position, position + lengthBytes),
  };
  yield* readSnapshot(source, compute, (record) => records.push(record));
  return records;
}
