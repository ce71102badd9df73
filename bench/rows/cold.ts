/** A reader of data that is only on the device, at full speed, beside a producer with a steady pace: how much the producer notices. */
import {
  evictFiles,
  type LoadReport,
  loadBeside,
  logFiles,
  median,
  type Row,
  type Server,
  startBroker,
  withDirectory,
} from '../harness.ts';
import { batchOfSize, fetchFrame, produceFrame } from '../requests.ts';
import { createTopic, fillTopic } from '../topics.ts';

const BATCH_BYTES = 64 * 1024;
const FETCH_BYTES = 1024 * 1024;
const DATA_BYTES = 3 * 2 ** 30;
const PACED_BATCH_BYTES = 4096;
const PER_SECOND = 500;
/** Shorter than the reader takes, which does not come round to what it has brought into memory. */
const SECONDS = 1.5;
const ROUNDS = 7;
/** The producer's p99 grows at most by this factor. */
const BOUND = 1.5;

/** Rows: the producer's p99 alone and beside the reader, and how fast that is. */
export async function coldRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const broker = await startBroker(directory, { watchLoop: true });
    try {
      const topicId = await createTopic(broker, 'old', 1);
      await createTopic(broker, 'paced', 1);
      const recordsPerBatch = await fillTopic(broker, 'old', BATCH_BYTES, DATA_BYTES);
      const batches = FETCH_BYTES / BATCH_BYTES;
      const frames = Array.from({ length: DATA_BYTES / FETCH_BYTES }, (_, i) =>
        fetchFrame({ topicId, partition: 0, offset: i * batches * recordsPerBatch, maxBytes: FETCH_BYTES }),
      );
      await produceAtPace(broker, 2);
      const rounds = [];
      for (let i = 0; i < ROUNDS; i++) rounds.push(await round(broker, directory, frames));
      return rowsOf(rounds);
    } finally {
      await broker.stop();
    }
  });
}

interface Round {
  readonly alone: LoadReport;
  readonly beside: LoadReport;
  readonly reader: LoadReport;
  readonly aloneStallMs: number;
  readonly stallMs: number;
}

async function round(broker: Server, directory: string, frames: readonly Buffer[]): Promise<Round> {
  evictFiles(logFiles(directory, 'old-0'));
  await broker.loop();
  const alone = await produceAtPace(broker, SECONDS);
  const { longestStallMs: aloneStallMs } = await broker.loop();
  const answers = frames.length;
  const coldReader = loadBeside(broker.port, {
    frames,
    connections: 1,
    depth: 2,
    seconds: SECONDS,
    answers,
    discard: 1,
  });
  const [beside, reader] = await Promise.all([produceAtPace(broker, SECONDS), coldReader]);
  const { longestStallMs: stallMs } = await broker.loop();
  return { alone, beside, reader, aloneStallMs, stallMs };
}

async function produceAtPace(broker: Server, seconds: number): Promise<LoadReport> {
  const { batch } = batchOfSize(PACED_BATCH_BYTES, 1024);
  const frames = [produceFrame('paced', 0, batch)];
  return await loadBeside(broker.port, { frames, connections: 4, rate: PER_SECOND, seconds });
}

function rowsOf(rounds: readonly Round[]): Row[] {
  const ratio = median(rounds.map(({ alone, beside }) => beside.p99Us / alone.p99Us));
  const middle = (pick: (round: Round) => number): number => median(rounds.map(pick));
  const rate = middle(({ reader }) => reader.receivedBytes / 1e6 / reader.seconds);
  return [
    {
      what: `producer at ${PER_SECOND}/s, p99 beside a cold reader`,
      measured: `${middle(({ beside }) => beside.p99Us).toFixed(0)} µs (p50 ${middle(({ beside }) => beside.p50Us).toFixed(0)} µs)`,
      beside: `alone ${middle(({ alone }) => alone.p99Us).toFixed(0)} µs (p50 ${middle(({ alone }) => alone.p50Us).toFixed(0)} µs)`,
      ratio: `${ratio.toFixed(2)}×${ratio > BOUND ? ' MISSED' : ''}`,
      stall: `${middle(({ stallMs }) => stallMs).toFixed(1)} ms (alone ${middle(({ aloneStallMs }) => aloneStallMs).toFixed(1)} ms)`,
    },
    { what: 'the cold reader', measured: `${rate.toFixed(0)} MB/s`, beside: '', ratio: '' },
  ];
}
