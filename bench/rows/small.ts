/** CPU per small request: ApiVersions and a produce of one record on the broker, beside a bare C program that echoes the same frame. */
import { type Row, type Server, startBare, startBroker, withDirectory } from '../harness.ts';
import { compare } from '../pairs.ts';
import { apiVersionsFrame, batchOfSize, framed, produceFrame } from '../requests.ts';
import { createTopic } from '../topics.ts';

const SECONDS = 1;
const ONE_RECORD_BYTES = 200;
const SHAPES = [
  { connections: 16, depth: 1 },
  { connections: 64, depth: 5 },
] as const;

/** Rows: CPU per answer and latency for each kind of request and shape of load. */
export async function smallRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const broker = await startBroker(directory);
    const bare = await startBare('echo');
    try {
      await createTopic(broker, 'small', 1);
      const { batch } = batchOfSize(ONE_RECORD_BYTES, ONE_RECORD_BYTES);
      const rows: Row[] = [];
      for (const shape of SHAPES) {
        rows.push(await row(broker, bare, 'ApiVersions', framed(apiVersionsFrame()), shape));
        rows.push(
          await row(broker, bare, 'produce one record, acks=1', produceFrame('small', 0, batch), shape),
        );
      }
      return rows;
    } finally {
      await bare.stop();
      await broker.stop();
    }
  });
}

async function row(
  broker: Server,
  bare: Server,
  what: string,
  frame: Buffer,
  shape: (typeof SHAPES)[number],
): Promise<Row> {
  const load = { ...shape, frames: [frame], seconds: SECONDS };
  const units = ({ answers }: { answers: number }): number => answers / 1e6;
  const found = await compare({ server: broker, load, units }, { server: bare, load, units });
  return {
    what: `${what}, ${shape.connections} connections, depth ${shape.depth}`,
    measured: `${found.broker.cost.toFixed(2)} µs CPU (p99 ${found.broker.p99Us.toFixed(0)} µs)`,
    beside: `bare echo ${found.bare.cost.toFixed(2)} µs CPU (p99 ${found.bare.p99Us.toFixed(0)} µs)`,
    ratio: `${found.ratio.toFixed(2)}×`,
  };
}
