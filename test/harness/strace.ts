import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { eventually } from './wait.ts';

/** What one system call did while it was watched. */
export interface CallTotals {
  /** Calls that gave a result of 0 or more. */
  calls: number;
  /** Sum of those results; for reading and sending calls the bytes. */
  bytes: number;
  /** Calls that failed (`EAGAIN` among them). */
  failed: number;
}

/** Watches the system calls of a running process, all its threads, through `strace`. */
export class SystemCallTrace {
  readonly #child: ChildProcess;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  /**
   * Attaches to a process.
   * @param names system calls to watch.
   * @param file where the trace goes; replaced.
   */
  static async attach(
    strace: string,
    pid: number,
    names: readonly string[],
    file: string,
  ): Promise<SystemCallTrace> {
    const args = [
      '-f',
      '-qq',
      '-s',
      '0',
      '-e',
      `trace=${names.join(',')}`,
      '-e',
      'signal=none',
      '-o',
      file,
      '-p',
      String(pid),
    ];
    const child = spawn(strace, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr?.on('data', (chunk) => {
      output += String(chunk);
    });
    await eventually(
      'strace is attached',
      () => {
        if (child.exitCode !== null) throw new Error(`strace ended: ${output}`);
        return /^TracerPid:\s*[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
      },
      { timeoutMs: 10_000 },
    );
    return new SystemCallTrace(child, file);
  }

  /** Detaches and adds up what was seen, by name of the call. */
  async finish(): Promise<Map<string, CallTotals>> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGINT');
      await ended;
    }
    return totalsOf(readFileSync(this.#file, 'latin1'));
  }
}

/**
 * Adds up a trace written with `strace -f -o`. Each line is `pid name(arguments) = result`; a call during which another thread came
 * in between is in two: `name(… <unfinished ...>` and `<... name resumed> …) = result`, of which the second counts.
 */
export function totalsOf(trace: string): Map<string, CallTotals> {
  const totals = new Map<string, CallTotals>();
  for (const line of trace.split('\n')) {
    const match = /^(?:\d+\s+)?(?:<\.\.\. )?([a-z_0-9]+)(?:\(| resumed>).*\)\s+= (-?\d+)/.exec(line);
    if (match === null) continue;
    const name = match[1] as string;
    const result = Number(match[2]);
    let total = totals.get(name);
    if (total === undefined) totals.set(name, (total = { calls: 0, bytes: 0, failed: 0 }));
    if (result < 0) total.failed++;
    else {
      total.calls++;
      total.bytes += result;
    }
  }
  return totals;
}
