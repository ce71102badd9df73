/** CPU per small request: ApiVersions on the broker beside a bare C program that echoes the frame. */
import {
  apiVersionsFrame,
  cpuSeconds,
  load,
  type Row,
  type Server,
  startBare,
  startBroker,
  withDirectory,
} from '../harness.ts';

const SECONDS = 3;
const SHAPES = [
  { connections: 16, depth: 1 },
  { connections: 64, depth: 5 },
] as const;

/** Rows: CPU per answer and latency for each shape of load. */
export async function echoRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const broker = await startBroker(directory);
    const bare = await startBare('echo');
    try {
      return SHAPES.map((shape) => row(broker, bare, shape));
    } finally {
      await bare.stop();
      await broker.stop();
    }
  });
}

function row(broker: Server, bare: Server, shape: { connections: number; depth: number }): Row {
  measure(broker, shape, 1); // warm-up: compiled code, filled caches
  const ours = measure(broker, shape, SECONDS);
  const limit = measure(bare, shape, SECONDS);
  return {
    what: `ApiVersions, ${shape.connections} connections, depth ${shape.depth}`,
    measured: `${ours.cpuUs.toFixed(2)} µs CPU (p99 ${ours.p99Us.toFixed(0)} µs)`,
    beside: `bare echo ${limit.cpuUs.toFixed(2)} µs CPU (p99 ${limit.p99Us.toFixed(0)} µs)`,
    ratio: `${(ours.cpuUs / limit.cpuUs).toFixed(2)}×`,
  };
}

function measure(
  server: Server,
  shape: { connections: number; depth: number },
  seconds: number,
): { cpuUs: number; p99Us: number } {
  const before = cpuSeconds(server.pid);
  const { answers, p99Us } = load(server.port, { ...shape, seconds, frame: apiVersionsFrame() });
  return { cpuUs: ((cpuSeconds(server.pid) - before) * 1e6) / answers, p99Us };
}
