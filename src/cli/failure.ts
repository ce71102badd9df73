import { describeError, isOperatingError, printable } from '../base/printable.ts';

/** How to do on the command line what an error's message advises, by its code. */
const ADVICE: Readonly<Record<string, string>> = {
  LISTEN_FAILED: 'the option for another port is --port',
  DIRECTORY_NOT_FORMATTED: 'the option that formats empty directories is --format',
  DIRECTORY_LOCKED: 'the option for another directory is --data-dir',
};

const MAX_LINE_LENGTH = 1000;

/**
 * What a person is told of an error that ends the process: one line, or one for each problem of a configuration. A bug also tells
 * where it is.
 */
export function failureLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [line(`unexpected error: ${String(error)}`)];
  if (!isOperatingError(error)) {
    const place = error.stack?.split('\n').find((frame) => frame.startsWith('    at ')) ?? '';
    return [line(`unexpected error, please report it: ${describeError(error)} ${place.trim()}`)];
  }
  const { code } = error as Error & { code: string };
  if (code === 'CONFIG_INVALID') return error.message.split('\n').map(line);
  const advice = ADVICE[code];
  return [line(describeError(error) + (advice === undefined ? '' : `; ${advice}`))];
}

function line(text: string): string {
  return `odradek: ${printable(text, MAX_LINE_LENGTH)}`;
}
