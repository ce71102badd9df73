import assert from 'node:assert/strict';
import type { Clock } from '../../src/io/clock.ts';

/** Time as a conformance test sees it: real for some implementations, virtual for the others. */
export interface World {
  readonly clock: Clock;
  /** Waits until the condition holds; fails the test when it does not within some seconds. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Lets so much time pass. */
  pass(durationMs: number): Promise<void>;
}

/** Starts something that calls back, and waits for the call. A second call fails the test. */
export async function called<T>(world: World, start: (done: (value: T) => void) => void): Promise<T> {
  const values: T[] = [];
  start((value) => {
    values.push(value);
    assert.equal(values.length, 1, 'a callback is called once');
  });
  await world.until(() => values.length > 0, 'a callback');
  return values[0] as T;
}

/** Bytes that differ from place to place: any shift or mixture shows. */
export function pattern(lengthBytes: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}
