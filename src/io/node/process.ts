/** The process as the commands see it: the only place for its side effects. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A stream that lines go to. */
export type OutputStream = 'stdout' | 'stderr';

/** Signals that ask the process to end. */
export type EndSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** Numbers of the signals; a process that one ended exits with 128 + number. */
export const SIGNAL_NUMBERS: Readonly<Record<EndSignal, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGTERM: 15,
};

/** A function that writes one line (its end is added). A reader that has gone away is no error: the lines are lost, the process lives. */
export function lineSink(stream: OutputStream): (line: string) => void {
  const target = process[stream];
  target.on('error', () => {});
  return (line) => void target.write(`${line}\n`);
}

/** True if the stream shows on a terminal. */
export function isTerminal(stream: OutputStream): boolean {
  return process[stream].isTTY === true;
}

/** True if the terminal of the stream shall be given colours: the user has not said `NO_COLOR`, and the terminal knows some. */
export function wantsColour(stream: OutputStream): boolean {
  const { NO_COLOR, TERM } = process.env;
  return isTerminal(stream) && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
}

/** The environment's variables, as they are now. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** The command's arguments, without the names of Node and of the script. */
export function commandArguments(): string[] {
  return process.argv.slice(2);
}

/** The directory that relative paths of the command line are below. */
export function workingDirectory(): string {
  return process.cwd();
}

/** This machine's name on the network as it knows it. */
export function hostName(): string {
  return hostname();
}

/** Number of this process. */
export function processId(): number {
  return process.pid;
}

/** Milliseconds since the process was started by the system, with the time that loading the program took. */
export function uptimeMs(): number {
  return process.uptime() * 1000;
}

/** Bytes of memory: all that is resident, and the part of it that the JavaScript heap and buffers take. */
export function memoryUsage(): { residentBytes: number; heapUsedBytes: number; externalBytes: number } {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, heapUsedBytes: heapUsed, externalBytes: external };
}

/** Unpredictable 32-bit words from the system, to seed a generator with. */
export function entropy(words: number): Uint32Array {
  return crypto.getRandomValues(new Uint32Array(words));
}

/** Reads a whole small file, such as a configuration. @throws the system's error with its `code`. */
export function readSmallFile(path: string): Buffer {
  return readFileSync(path);
}

/** The name under which the process is listed, by `ps` and in the message of whoever finds a directory locked by it. */
export function nameProcess(name: string): void {
  process.title = name;
}

/** Calls `handler` on every such signal, instead of ending the process. */
export function onEndSignal(handler: (signal: EndSignal) => void): void {
  process.on('SIGHUP', () => handler('SIGHUP'));
  process.on('SIGINT', () => handler('SIGINT'));
  process.on('SIGTERM', () => handler('SIGTERM'));
}

/** Calls `handler` for an error that nothing caught, also for a promise that nobody awaited. The handler must end the process. */
export function onUncaught(handler: (error: unknown) => void): void {
  process.on('uncaughtException', handler);
  process.on('unhandledRejection', handler);
}

/** Ends the process at once. What was written to a terminal, a file or a pipe has left before. */
export function exit(code: number): never {
  process.exit(code);
}
