/** CPU per byte of a fetch of warm data: the broker beside a bare server that sends the same ranges by `sendfile`. */
import type { Uuid } from '../../src/base/uuid.ts';
import {
  type LoadReport,
  logFiles,
  type Row,
  type Server,
  startBare,
  startBroker,
  withDirectory,
} from '../harness.ts';
import { compare } from '../pairs.ts';
import { bareFetchFrame, fetchFrame } from '../requests.ts';
import { createTopic, fillTopic } from '../topics.ts';

const BATCH_BYTES = 16 * 1024;
const DATA_BYTES = 256 * 1024 * 1024;
const SHAPES = [
  { kilobytes: 16, connections: 8 },
  { kilobytes: 64, connections: 8 },
  { kilobytes: 256, connections: 8 },
  { kilobytes: 1024, connections: 1 },
  { kilobytes: 1024, connections: 8 },
  { kilobytes: 1024, connections: 64 },
] as const;
type Shape = (typeof SHAPES)[number];
const SECONDS = 0.8;
/** At most this many times the CPU of the bare server. */
const BOUND = 1.5;

/** Rows: one for each size and number of connections. */
export async function fetchRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const broker = await startBroker(directory);
    const topicId = await createTopic(broker, 'warm', 1);
    const recordsPerBatch = await fillTopic(broker, 'warm', BATCH_BYTES, DATA_BYTES);
    const [file] = logFiles(directory, 'warm-0');
    const bare = await startBare('sendfile', [file as string]);
    try {
      const rows: Row[] = [];
      for (const shape of SHAPES) rows.push(await row({ broker, bare, topicId, recordsPerBatch }, shape));
      return rows;
    } finally {
      await bare.stop();
      await broker.stop();
    }
  });
}

/**
 * One connection alone sleeps and wakes with each of its answers, on either side: what that costs hangs on who is faster by a little, and the bare server's own figure
 * differs threefold from run to run.
 */
function isBounded({ kilobytes, connections }: Shape): boolean {
  return kilobytes >= 1024 && connections > 1;
}

interface Servers {
  readonly broker: Server;
  readonly bare: Server;
  readonly topicId: Uuid;
  readonly recordsPerBatch: number;
}

async function row({ broker, bare, topicId, recordsPerBatch }: Servers, shape: Shape): Promise<Row> {
  const { kilobytes, connections } = shape;
  const maxBytes = kilobytes * 1024;
  // Every fetch begins where a batch does, and ends so.
  const batches = Array.from({ length: DATA_BYTES / maxBytes }, (_, i) => (i * maxBytes) / BATCH_BYTES);
  const offsets = batches.map((batch) => batch * recordsPerBatch);
  const units = ({ answers, smallest }: LoadReport): number => {
    if (smallest < maxBytes) throw new Error(`an answer of ${smallest} bytes instead of ${maxBytes}`);
    return (answers * maxBytes) / 1e9;
  };
  const load = { connections, seconds: SECONDS, depth: 1 };
  const ours = offsets.map((offset) => fetchFrame({ topicId, partition: 0, offset, maxBytes }));
  const theirs = batches.map((batch) => bareFetchFrame(batch * BATCH_BYTES, maxBytes));
  const found = await compare(
    { server: broker, units, load: { ...load, frames: ours } },
    { server: bare, units, load: { ...load, frames: theirs } },
  );
  return {
    what: `fetch ${kilobytes} KB, ${connections} connection${connections === 1 ? '' : 's'}`,
    measured: `${found.broker.cost.toFixed(3)} cpu-s/GB (${found.broker.rate.toFixed(1)} GB/s)`,
    beside: `bare sendfile ${found.bare.cost.toFixed(3)} cpu-s/GB (${found.bare.rate.toFixed(1)} GB/s)`,
    ratio: `${found.ratio.toFixed(2)}×${isBounded(shape) && found.ratio > BOUND ? ' MISSED' : ''}`,
  };
}
