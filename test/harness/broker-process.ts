import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { answers } from './raw-connection.ts';
import { eventually } from './wait.ts';

/** How many of the last lines of output are kept. */
const MAX_KEPT_LINES = 5_000;

/** How to start a broker. */
export interface BrokerCommand {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Port of the loopback interface on which it answers when it is ready. */
  readonly port: number;
  /** Deadline for the first answer, in ms. */
  readonly startTimeoutMs: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A broker as a child process: started, killed, stopped and started again by a test. */
export class BrokerProcess {
  readonly #command: BrokerCommand;
  #child: ChildProcess | null = null;
  #end: Promise<ProcessEnd> | null = null;
  #ended: ProcessEnd | null = null;
  #lines: string[] = [];

  constructor(command: BrokerCommand) {
    this.#command = command;
    // A test that dies must not leave a broker behind.
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** `host:port` for clients. */
  get bootstrap(): string {
    return `127.0.0.1:${this.#command.port}`;
  }

  get port(): number {
    return this.#command.port;
  }

  /** Process id; only while it runs. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#command.name} is not running`);
    return pid;
  }

  get running(): boolean {
    return this.#child !== null && this.#ended === null;
  }

  /** Lines of both outputs since the last start, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Starts it and waits until it answers. @throws Error with its output when it ends instead, or is not there in time. */
  async start(): Promise<void> {
    this.launch();
    try {
      await eventually(
        `${this.#command.name} answers on ${this.bootstrap}`,
        async () => {
          if (this.#ended !== null) return 'ended';
          return await answers(this.port);
        },
        { timeoutMs: this.#command.startTimeoutMs, intervalMs: 25 },
      );
    } catch (error) {
      await this.kill();
      throw new Error(this.#withOutput('did not start in time'), { cause: error });
    }
    if (this.#ended !== null) throw new Error(this.#withOutput(`ended at start with ${text(this.#ended)}`));
  }

  /** Starts it without waiting for anything. */
  launch(): void {
    if (this.running) throw new Error(`${this.#command.name} runs already`);
    this.#lines = [];
    this.#ended = null;
    const child = spawn(this.#command.command, this.#command.args, {
      env: { ...process.env, ...this.#command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        if (this.#lines.length > MAX_KEPT_LINES) this.#lines.shift();
      });
    }
    this.#end = new Promise((resolve) => {
      const finish = (end: ProcessEnd) => {
        this.#ended = end;
        resolve(end);
      };
      child.once('error', (error) => {
        this.#lines.push(String(error));
        finish({ code: null, signal: null });
      });
      child.once('close', (code, signal) => finish({ code, signal }));
    });
  }

  /** Kills it as a crash would (SIGKILL) and waits until it is gone. Nothing happens when it does not run. */
  async kill(): Promise<void> {
    if (!this.running) return;
    this.#child?.kill('SIGKILL');
    await this.#end;
  }

  /** Asks it to stop (SIGTERM) and waits. @throws Error when it is not gone in time; it is killed then. */
  async stop(timeoutMs = 20_000): Promise<ProcessEnd> {
    if (!this.running) return this.#ended ?? { code: null, signal: null };
    this.#child?.kill('SIGTERM');
    return await this.waitEnd(timeoutMs);
  }

  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Waits until it has ended by itself. @throws Error when it has not in time; it is killed then. */
  async waitEnd(timeoutMs: number): Promise<ProcessEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
    });
    const end = await Promise.race([this.#end, late]);
    clearTimeout(timer);
    if (end === null) {
      await this.kill();
      throw new Error(this.#withOutput(`had not ended after ${timeoutMs} ms`));
    }
    return end;
  }

  /** Stops it, however it is doing: for the end of a test. */
  async dispose(): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  #withOutput(what: string): string {
    const end = this.#lines.slice(-40).join('\n');
    return `${this.#command.name} ${what}\n--- output of ${this.#command.command} ${this.#command.args.join(' ')}\n${end}`;
  }
}

function text(end: ProcessEnd): string {
  return end.signal ?? `code ${end.code}`;
}
