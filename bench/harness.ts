/** What every benchmark needs: servers as child processes, their CPU and memory, bare C programs, and load. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { profilerArguments, recordNative } from './profiling.ts';
import { apiVersionsFrame, framed } from './requests.ts';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '..');

/** One line of a printed table. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  /** The figure, with its unit. */
  readonly measured: string;
  /** What ran beside it in the same run, or what the figure may be at most. */
  readonly beside: string;
  /** The ratio to what ran beside it, or whether the bound holds. */
  readonly ratio: string;
  /** Longest time for which the broker's loop did nothing else, where that was watched. */
  readonly stall?: string;
}

/** What a broker's loop did since the last report; see `probe.mjs`. */
export interface LoopReport {
  /** Longest time by which a timer came late: somebody kept the loop for so long. */
  readonly longestStallMs: number;
  readonly p99StallMs: number;
}

/** A server under measurement. */
export interface Server {
  readonly pid: number;
  readonly port: number;
  /** Milliseconds from the start of the process to its first answer on the port; 0 where that was not awaited. */
  readonly firstAnswerMs: number;
  /** What the loop of a broker that was started with `watchLoop` did since the last call. */
  loop(): Promise<LoopReport>;
  stop(): Promise<void>;
}

/** CPU seconds, user and system, that the threads of a process have used so far. Linux only. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // The thread ended between the two reads.
    }
  }
  return nanoseconds / 1e9;
}

/** Resident memory of a process in bytes. Linux only. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** What a bare program is made of beside its own source and `frames.h`. */
const MORE_SOURCES: Readonly<Record<string, readonly string[]>> = {
  ingest: ['native/checksum.c'],
  recover: ['native/checksum.c'],
};

/** Compiles a bare program of `bench/limits/` when it is older than its sources; returns the path of the binary. */
export function bareProgram(name: string): string {
  const sources = [`bench/limits/${name}.c`, ...(MORE_SOURCES[name] ?? [])].map((path) => join(ROOT, path));
  const binary = join(ROOT, '.build/bench', name);
  const changedMs = [...sources, join(ROOT, 'bench/limits/frames.h')].map((path) => statSync(path).mtimeMs);
  if (!existsSync(binary) || statSync(binary).mtimeMs < Math.max(...changedMs)) {
    mkdirSync(join(ROOT, '.build/bench'), { recursive: true });
    const flags = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra'];
    execFileSync('cc', [...flags, '-o', binary, ...sources, '-pthread'], { stdio: 'inherit' });
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

/** How a broker is started. */
export interface BrokerOptions {
  /** Flags after those for port and directory. */
  readonly settings?: readonly string[];
  /** Watches the loop, which costs about one percent of a core. */
  readonly watchLoop?: boolean;
  /** File that gets what the broker logs. */
  readonly logFile?: string;
}

/** Starts the bundled broker on `directory` and waits for its first answer to ApiVersions. */
export async function startBroker(
  directory: string,
  options: BrokerOptions | readonly string[] = {},
): Promise<Server> {
  const { settings = [], watchLoop = false, logFile } = 'length' in options ? { settings: options } : options;
  const port = await freePort();
  const args = [
    ...(watchLoop ? ['--import', join(ROOT, 'bench/probe.mjs')] : []),
    ...profilerArguments(),
    join(ROOT, 'dist/odradek.mjs'),
    'start',
    '--port',
    String(port),
    '--data-dir',
    directory,
    ...settings,
  ];
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: [
      'ignore',
      logFile === undefined ? 'ignore' : openSync(logFile, 'w'),
      'inherit',
      ...(watchLoop ? (['ipc'] as const) : []),
    ],
  });
  await firstAnswer(port, child);
  const firstAnswerMs = performance.now() - started;
  recordNative(child.pid as number);
  return server(child, port, firstAnswerMs);
}

/** Starts a bare server, which prints its port. */
export async function startBare(name: string, args: readonly string[] = []): Promise<Server> {
  const child = spawn(bareProgram(name), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((done, failed) => {
    child.stdout.once('data', (line: Buffer) => done(Number(line.toString())));
    child.once('exit', () => failed(new Error(`${name} ended before it listened`)));
  });
  return server(child, port, 0);
}

/** What the load program is told; frames have their size prefixes. */
export interface LoadOptions {
  readonly frames: readonly Buffer[];
  readonly connections: number;
  /** Frames in flight on each connection. */
  readonly depth?: number;
  readonly seconds: number;
  /** Ends after so many answers, if they come before the time is over. */
  readonly answers?: number;
  /** Frames a second over all connections, whatever the answers do. */
  readonly rate?: number;
  /** 1: throws large answers away in the kernel instead of reading them. */
  readonly discard?: 1;
}

/** What the load program saw. */
export interface LoadReport {
  readonly answers: number;
  readonly seconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Smallest and largest answer, bytes. */
  readonly smallest: number;
  readonly largest: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** Runs the load program against a port, beside whatever else goes on. */
export async function loadBeside(port: number, options: LoadOptions): Promise<LoadReport> {
  const { frames, seconds, ...rest } = options;
  return await withDirectory(async (directory) => {
    const path = join(directory, 'frames');
    writeFileSync(path, Buffer.concat(frames));
    const numbers = Object.entries({ port, seconds, ...rest }).map(([name, value]) => `${name}=${value}`);
    const child = spawn(bareProgram('load'), [`frames=${path}`, ...numbers], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (seconds + 20) * 1000,
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    await new Promise((done) => child.once('close', done));
    if (child.exitCode !== 0) throw new Error(`load failed: ${errors}`);
    return JSON.parse(output) as LoadReport;
  });
}

/** Many connections held open by another process. */
export interface Held {
  /** The next line it prints: when the first and the last further answer came, microseconds of the monotonic clock. */
  answered(): Promise<{ readonly firstUs: number; readonly lastUs: number }>;
  end(): Promise<void>;
}

/**
 * Opens connections and sends one frame on each. @param answered whether these are answered at once (then it waits for that), or are to wait at the server.
 */
export async function hold(
  port: number,
  options: { readonly connections: number; readonly frames: readonly Buffer[]; readonly answered: boolean },
): Promise<Held> {
  const { connections, frames, answered } = options;
  return await withDirectory(async (directory) => {
    const path = join(directory, 'frames');
    writeFileSync(path, Buffer.concat(frames));
    const args = [
      `port=${port}`,
      `connections=${connections}`,
      `frames=${path}`,
      `answers=${answered ? 1 : 0}`,
    ];
    const child = spawn(bareProgram('hold'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<string> => {
      const next = await lines.next();
      if (next.done === true) throw new Error('the holder of the connections ended');
      return next.value;
    };
    if ((await line()) !== 'held') throw new Error('the connections are not held');
    return {
      answered: async () => JSON.parse(await line()) as { firstUs: number; lastUs: number },
      end: async () => {
        const gone = new Promise((done) => child.once('exit', done));
        child.kill('SIGKILL');
        await gone;
      },
    };
  });
}

/** CPU seconds of a server for a load, and what the load saw. */
export async function measured(
  target: Server,
  options: LoadOptions,
): Promise<LoadReport & { readonly cpuSeconds: number }> {
  const before = cpuSeconds(target.pid);
  const report = await loadBeside(target.port, options);
  return { ...report, cpuSeconds: cpuSeconds(target.pid) - before };
}

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Drops what the page cache holds of files that are durable, which takes no rights: the next reads come from the device. */
export function evictFiles(paths: readonly string[]): void {
  execFileSync(bareProgram('evict'), paths);
}

/**
 * Has the page cache take so many bytes and give them up again. A virtual machine gets its memory from the host at the first touch, which costs many times what writing
 * to it does, and would be counted to whoever comes first.
 */
export function touchMemory(directory: string, bytes: number): void {
  const path = join(directory, 'touched');
  const piece = Buffer.alloc(8 << 20, 1);
  for (let written = 0; written < bytes; written += piece.length) appendFileSync(path, piece);
  rmSync(path);
}

/** Paths of the log files of a partition. */
export function logFiles(directory: string, topicPartition: string): string[] {
  const folder = join(directory, topicPartition);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(folder, name));
}

/** Bytes of the log files of a partition. */
export function logBytes(directory: string, topicPartition: string): number {
  let bytes = 0;
  for (const path of logFiles(directory, topicPartition)) bytes += statSync(path).size;
  return bytes;
}

/** Runs a program to its end and returns what it printed. @throws Error when it fails */
export function output(program: string, args: readonly string[]): string {
  const run = spawnSync(program, args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${program} failed: ${run.stderr}`);
  return run.stdout;
}

function server(child: ChildProcess, port: number, firstAnswerMs: number): Server {
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    pid: child.pid as number,
    port,
    firstAnswerMs,
    loop: () =>
      new Promise((done) => {
        child.once('message', (report) => done(report as LoopReport));
        child.send('report');
      }),
    stop: async () => {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await gone;
      clearTimeout(patience);
    },
  };
}

/** Asks for ApiVersions until it is answered; connecting is tried again each millisecond. */
async function firstAnswer(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null)
      throw new Error(`the broker ended with code ${child.exitCode} before it answered`);
    if (await answers(port, framed(apiVersionsFrame()))) return;
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
