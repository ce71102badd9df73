import { ComputeError, type ComputeCallback } from '../../compute.ts';

/** Bytes of output after which a codec that works on the JS thread lets others have a turn. */
export const STEP_BYTES = 256 * 1024;

/** Work on the JS thread in steps: `yield` where others may have their turn; the result is returned, failures are thrown. */
export type Steps = Generator<void, Buffer>;

/** Runs all steps at once. @throws ComputeError */
export function runNow(steps: Steps): Buffer {
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  } catch (error) {
    throw asComputeError(error);
  }
}

/** Runs the first step now and each further one in a turn of its own. */
export function runInTurns(steps: Steps, done: ComputeCallback): void {
  let output: Buffer;
  try {
    const result = steps.next();
    if (result.done !== true) {
      setImmediate(runInTurns, steps, done);
      return;
    }
    output = result.value;
  } catch (error) {
    done(asComputeError(error), null);
    return;
  }
  done(null, output);
}

/** What a codec threw, as the port has it: a failure of a library is corrupt input. */
export function asComputeError(error: unknown): ComputeError {
  if (error instanceof ComputeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ComputeError('corrupt', message, { cause: error });
}

/** The output would be longer than allowed. */
export function tooLarge(maxOutputBytes: number): ComputeError {
  return new ComputeError('bounded', `the output is longer than ${maxOutputBytes} bytes`);
}

/** The pieces as one buffer; a single one is not copied. */
export function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}
