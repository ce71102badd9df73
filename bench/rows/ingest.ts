/** CPU per byte of a produce with acks=1: the broker beside a bare server that receives, takes the CRC-32C and appends to the page cache. */
import {
  loadBeside,
  logBytes,
  type Row,
  type Server,
  startBare,
  startBroker,
  touchMemory,
  withDirectory,
} from '../harness.ts';
import { compare } from '../pairs.ts';
import { batchOfSize, produceFrame } from '../requests.ts';
import { createTopic } from '../topics.ts';

const SHAPES = [
  { kilobytes: 16, connections: 8, depth: 4 },
  { kilobytes: 64, connections: 8, depth: 2 },
  { kilobytes: 1000, connections: 1, depth: 1 },
  { kilobytes: 1000, connections: 4, depth: 2 },
] as const;
const RECORD_BYTES = 1024;
const WARM_UP_BATCH_BYTES = 4096;
/** Bytes that each side takes in one turn; bounded, because they become dirty pages. */
const TURN_BYTES = 128 * 1024 * 1024;
/** What all turns of both sides write, and some more. */
const TOUCHED_BYTES = 14 * TURN_BYTES;
/** At most this many times the CPU of the bare server. */
const BOUND = 1.5;

/** Rows: one for each size of batch and number of producers, each producer with a partition of its own. */
export async function ingestRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shape of SHAPES)
    rows.push(await withDirectory(async (directory) => await row(directory, shape)));
  return rows;
}

/** V8 compiles what it has seen often: that takes more requests than there are large batches in the turns. */
async function warmUp(broker: Server): Promise<void> {
  const { batch } = batchOfSize(WARM_UP_BATCH_BYTES, RECORD_BYTES);
  await createTopic(broker, 'warm-up', 1);
  const frames = [produceFrame('warm-up', 0, batch)];
  await loadBeside(broker.port, { frames, connections: 4, depth: 4, seconds: 2 });
}

async function row(directory: string, shape: (typeof SHAPES)[number]): Promise<Row> {
  const { kilobytes, connections, depth } = shape;
  const batchBytes = kilobytes * 1024;
  const broker = await startBroker(directory);
  const bare = await startBare('ingest', [directory]);
  try {
    touchMemory(directory, TOUCHED_BYTES);
    // No roll within a run: the sealed segment would be made durable beside it.
    await createTopic(broker, 'taken', connections, { 'segment.bytes': '2147483647' });
    await warmUp(broker);
    const { batch } = batchOfSize(batchBytes, RECORD_BYTES);
    const frames = Array.from({ length: connections }, (_, partition) =>
      produceFrame('taken', partition, batch),
    );
    const answers = Math.ceil(TURN_BYTES / batchBytes / connections) * connections;
    // Each connection goes through its own frame only, as often as there are frames: the same bytes for both sides.
    const load = { frames, connections, depth, seconds: 20, answers };
    let taken = 0;
    const units = (report: { answers: number }): number => {
      if (report.answers !== answers)
        throw new Error(`only ${report.answers} of ${answers} batches were taken`);
      taken += answers;
      return (report.answers * batchBytes) / 1e9;
    };
    const found = await compare({ server: broker, load, units }, { server: bare, load, units });
    let bytes = 0;
    for (let partition = 0; partition < connections; partition++)
      bytes += logBytes(directory, `taken-${partition}`);
    if (bytes < (taken / 2) * batchBytes)
      throw new Error(`the logs hold ${bytes} bytes of ${(taken / 2) * batchBytes}`);
    return {
      what: `produce ${kilobytes} KB batches, ${connections} producer${connections === 1 ? '' : 's'}`,
      measured: `${found.broker.cost.toFixed(3)} cpu-s/GB (${found.broker.rate.toFixed(2)} GB/s)`,
      beside: `bare receive + CRC-32C + append ${found.bare.cost.toFixed(3)} cpu-s/GB (${found.bare.rate.toFixed(2)} GB/s)`,
      ratio: `${found.ratio.toFixed(2)}×${kilobytes >= 1000 && found.ratio > BOUND ? ' MISSED' : ''}`,
    };
  } finally {
    await bare.stop();
    await broker.stop();
  }
}
