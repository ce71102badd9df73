import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { eventually } from './wait.ts';

/** Makes system calls of a running process fail or take long, through `strace -e inject`. */
export class FaultInjection {
  readonly #child: ChildProcess;
  readonly #endWithTest = (): void => void this.#child.kill('SIGKILL');

  private constructor(child: ChildProcess) {
    this.#child = child;
    process.once('exit', this.#endWithTest);
  }

  /**
   * Attaches. @param calls names of system calls, such as `pwritev,write`. @param what as strace says it: `error=EIO`, `delay_enter=2000000`, with `:when=1+3`.
   * @param paths files that the calls must be about; any file without them
   */
  static async attach(
    strace: string,
    pid: number,
    { calls, what, paths = [] }: { calls: string; what: string; paths?: readonly string[] },
  ): Promise<FaultInjection> {
    const args = ['-f', '-qq', '-e', `trace=${calls}`, '-e', `inject=${calls}:${what}`, '-e', 'signal=none'];
    for (const path of paths) args.push('-P', path);
    const child = spawn(strace, [...args, '-o', '/dev/null', '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
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
    return new FaultInjection(child);
  }

  /** Detaches: the process has its system calls as they are again. */
  async lift(): Promise<void> {
    process.off('exit', this.#endWithTest);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGINT');
    await ended;
  }
}
