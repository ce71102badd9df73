/** The metadata of a large cluster: loading it from a snapshot, and writing one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { ReplayReport } from '../metadata-replay.ts';
import { ROOT, type Row, withDirectory } from '../harness.ts';

const HEAP_MB = 6000;
const SHAPES = [
  { topics: 1_000, partitionsATopic: 100 },
  { topics: 10_000, partitionsATopic: 100 },
] as const;

/** Rows: a cluster of 300 brokers with a hundred thousand and with a million partitions, three replicas each. */
export async function metadataRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shape of SHAPES) {
    const report = await withDirectory((directory) =>
      Promise.resolve(replay(join(directory, 'snapshot'), shape)),
    );
    const { partitions, fileBytes, loadMs, longestTurnMs, heapBytes, snapshotMs } = report;
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    rows.push({
      what: `load ${partitions.toLocaleString('en')} partitions from a snapshot of ${megabytes(fileBytes)}`,
      measured: `${(loadMs / 1000).toFixed(1)} s, ${megabytes(heapBytes)} of heap`,
      beside: `writing it ${(snapshotMs / 1000).toFixed(1)} s`,
      ratio: '',
      stall: `${longestTurnMs.toFixed(0)} ms`,
    });
  }
  return rows;
}

function replay(path: string, shape: (typeof SHAPES)[number]): ReplayReport {
  const script = join(ROOT, 'bench/metadata-replay.ts');
  const flags = ['--expose-gc', `--max-old-space-size=${HEAP_MB}`];
  const args = [...flags, script, path, String(shape.topics), String(shape.partitionsATopic)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (status !== 0) throw new Error(`the replay ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as ReplayReport;
}
