import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import process from 'node:process';

/** Most bytes of one stream that are kept in memory; more ends the tool with an error. */
const MAX_CAPTURED_BYTES = 64 * 1024 * 1024;

/** How a tool is run. */
export interface RunOptions {
  /** Deadline in ms after which the tool is killed and the run fails. */
  readonly timeoutMs: number;
  /** Given on standard input. Without it and `stdinFile` the input is empty. */
  readonly input?: string | Buffer;
  /** File given as standard input. */
  readonly stdinFile?: string;
  /** File that takes standard output instead of `stdout` of the result. */
  readonly stdoutFile?: string;
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Exit codes that count as success; `[0]` by default, `'any'` for all. */
  readonly expectCodes?: readonly number[] | 'any';
}

/** What a finished tool left behind. */
export interface RunResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output; empty when it went to a file. */
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

/**
 * Runs a foreign tool to its end, with a deadline and its output captured.
 * @throws Error when it cannot be started, runs past the deadline, prints too much, or exits with a code not expected; the message
 * holds the command and the end of its output.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const started = performance.now();
  const files: number[] = [];
  const open = (path: string | undefined, flags: string): number | 'pipe' => {
    if (path === undefined) return 'pipe';
    files.push(openSync(path, flags));
    return files.at(-1) as number;
  };
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [open(options.stdinFile, 'r'), open(options.stdoutFile, 'w'), 'pipe'],
  });
  for (const file of files) closeSync(file);

  const stdout = capture(child, 'stdout');
  const stderr = capture(child, 'stderr');
  if (child.stdin !== null) {
    // A tool that exits early closes its input: its exit code tells the story, not our EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  }

  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, options.timeoutMs);
  try {
    const { code, signal } = await ended(child);
    const result = {
      code,
      signal,
      stdout: stdout(),
      stderr: stderr(),
      elapsedMs: performance.now() - started,
    };
    const expected = options.expectCodes ?? [0];
    if (late) throw new Error(describe(command, args, `was killed after ${options.timeoutMs} ms`, result));
    if (expected !== 'any' && (code === null || !expected.includes(code))) {
      throw new Error(describe(command, args, `ended with ${signal ?? `code ${code}`}`, result));
    }
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the exit of a child, once its streams are closed too. @throws Error when it could not be started. */
function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

function capture(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  child[name]?.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_CAPTURED_BYTES) child.kill('SIGKILL');
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

function describe(command: string, args: readonly string[], what: string, result: RunResult): string {
  const end = (text: string) => text.slice(-2_000);
  return `${command} ${args.join(' ')} ${what}\n--- stdout\n${end(result.stdout)}\n--- stderr\n${end(result.stderr)}`;
}
