/** What every benchmark row needs: servers as child processes, their CPU and memory, bare C programs, and the table. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '..');

/** One line of the printed table. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  /** The figure, with its unit. */
  readonly measured: string;
  /** What ran beside it in the same run, or what the figure may be at most. */
  readonly beside: string;
  /** The ratio to what ran beside it, or whether the bound holds. */
  readonly ratio: string;
}

/** A server under measurement. */
export interface Server {
  readonly pid: number;
  readonly port: number;
  /** Milliseconds from the start of the process to its first answer on the port; 0 where that was not awaited. */
  readonly firstAnswerMs: number;
  stop(): Promise<void>;
}

const CLOCK_TICKS_PER_SECOND = 100;

/** User and system CPU seconds that a process has used. Linux only. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** Resident memory of a process in bytes. Linux only. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Compiles a bare program of `bench/limits/` when it is older than its source; returns the path of the binary. */
export function bareProgram(name: string): string {
  const source = join(ROOT, 'bench/limits', `${name}.c`);
  const binary = join(ROOT, '.build/bench', name);
  if (!existsSync(binary) || statSync(binary).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(join(ROOT, '.build/bench'), { recursive: true });
    execFileSync(
      'cc',
      ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-o', binary, source, '-lm'],
      { stdio: 'inherit' },
    );
  }
  return binary;
}

/** A directory that is removed when `use` is done. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts the bundled broker on `directory` and waits for its first answer to ApiVersions. */
export async function startBroker(directory: string, settings: readonly string[] = []): Promise<Server> {
  const port = await freePort();
  const args = [
    join(ROOT, 'dist/odradek.mjs'),
    'start',
    '--port',
    String(port),
    '--data-dir',
    directory,
    ...settings,
  ];
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await firstAnswer(port, child);
  return server(child, port, performance.now() - started);
}

/** Starts a bare server, which prints its port. */
export async function startBare(name: string, args: readonly string[] = []): Promise<Server> {
  const child = spawn(bareProgram(name), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((done) =>
    child.stdout.once('data', (line: Buffer) => done(Number(line.toString()))),
  );
  return server(child, port, 0);
}

/** Runs the load program against a port; `frame` is without its size prefix. */
export function load(
  port: number,
  options: { connections: number; depth: number; seconds: number; frame: Buffer },
): {
  answers: number;
  seconds: number;
  p50Us: number;
  p99Us: number;
} {
  const { connections, depth, seconds, frame } = options;
  const args = [port, connections, depth, seconds].map(String);
  const run = spawnSync(bareProgram('load'), [...args, frame.toString('hex')], {
    encoding: 'utf8',
    timeout: (seconds + 20) * 1000,
  });
  if (run.status !== 0) throw new Error(`load failed: ${run.stderr}`);
  return JSON.parse(run.stdout) as ReturnType<typeof load>;
}

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Prints rows as a table of aligned columns. */
export function printTable(rows: readonly Row[]): void {
  const table = [{ what: 'what', measured: 'measured', beside: 'beside', ratio: 'ratio' }, ...rows];
  const width = (pick: (row: Row) => string) => Math.max(...table.map((row) => pick(row).length));
  const widths = [
    width((row) => row.what),
    width((row) => row.measured),
    width((row) => row.beside),
  ] as const;
  for (const row of table) {
    console.log(
      `${row.what.padEnd(widths[0])}  ${row.measured.padStart(widths[1])}  ${row.beside.padStart(widths[2])}  ${row.ratio}`,
    );
  }
}

/** An ApiVersions v0 request without its size prefix. */
export function apiVersionsFrame(): Buffer {
  return Buffer.from('0012000000000001000562656e6368', 'hex');
}

function server(child: ChildProcess, port: number, firstAnswerMs: number): Server {
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    pid: child.pid as number,
    port,
    firstAnswerMs,
    stop: async () => {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(patience);
    },
  };
}

/** Asks for ApiVersions until it is answered; connecting is tried again each millisecond. */
async function firstAnswer(port: number, child: ChildProcess): Promise<void> {
  const frame = apiVersionsFrame();
  const size = Buffer.alloc(4);
  size.writeInt32BE(frame.length);
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null)
      throw new Error(`the broker ended with code ${child.exitCode} before it answered`);
    if (await answers(port, Buffer.concat([size, frame]))) return;
    await new Promise((done) => setTimeout(done, 1));
  }
  throw new Error('the broker did not answer within 30 s');
}

function answers(port: number, request: Buffer): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    const end = (answered: boolean) => {
      socket.destroy();
      done(answered);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
