import assert from 'node:assert/strict';
import type { Compute, CompressionCodec, ComputeError } from '../../src/io/compute.ts';
import type { World } from './world.ts';

/** A compute port under test. */
export interface ComputeWorld extends World {
  readonly compute: Compute;
}

/** Half repetitive, half not. */
export function mixture(lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes, 'the quick brown fox ');
  let state = 1;
  for (let i = lengthBytes >> 1; i < lengthBytes; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Compresses, which must succeed. `level` null is the codec's default. */
export async function compressed(
  world: ComputeWorld,
  codec: CompressionCodec,
  input: Buffer,
  level: number | null,
): Promise<Buffer> {
  const result = await settled(world, (done) => world.compute.compress(codec, input, level, done));
  assert.ok(Buffer.isBuffer(result), String(result));
  return result;
}

/** Decompresses `input`, which lies among other bytes. */
export function decompressed(
  world: ComputeWorld,
  codec: CompressionCodec,
  input: Buffer,
  maxOutputBytes: number,
): Promise<Buffer | ComputeError> {
  const framed = Buffer.concat([Buffer.alloc(5, 1), input, Buffer.alloc(7, 2)]);
  const end = 5 + input.length;
  return settled(world, (done) => world.compute.decompress(codec, framed, 5, end, maxOutputBytes, done));
}

async function settled(
  world: ComputeWorld,
  start: (done: (error: ComputeError | null, output: Buffer | null) => void) => void,
): Promise<Buffer | ComputeError> {
  const results: (Buffer | ComputeError)[] = [];
  start((error, output) => {
    assert.equal(results.length, 0, 'a callback is called once');
    assert.ok((error === null) !== (output === null), 'there is an error or an output');
    results.push((error ?? output) as Buffer | ComputeError);
  });
  await world.until(() => results.length > 0, 'a codec');
  return results[0] as Buffer | ComputeError;
}
