import assert from 'node:assert/strict';
import type test from 'node:test';
import type { Disk, DiskError, DiskFile } from '../../src/io/disk.ts';
import { called, type World } from './world.ts';

/** One disk under test. */
export interface DiskWorld extends World {
  readonly disk: Disk;
  /** An empty directory of its own. */
  readonly root: string;
  /** A second `Disk` on the same files, as a second broker in this process has. The virtual disk is its own second. */
  readonly otherDisk: Disk;
  /** The next calls of this kind fail with the code; `cut` is the cutting back of a failed append. */
  fail(operation: 'append' | 'cut' | 'flush', code: string, times: number): void;
  /** Drops a durable file from memory; false where that cannot be done or does not show. */
  evict(path: string): boolean;
  /** Descriptors that are open now; null where there are none. */
  openDescriptors(): number | null;
  /** Closes the disk and removes its files. */
  end(): Promise<void>;
}

/** How a disk under test is to be made. */
export interface DiskWorldOptions {
  readonly maxDescriptors?: number;
  readonly maxLeaseAgeMs?: number;
  /** Most writes are short. */
  readonly shortWrites?: boolean;
  /** The file system has room for so many bytes. */
  readonly capacityBytes?: number;
}

/** Makes a disk under test; a text says why that cannot be done here. */
export type DiskFactory = (options?: DiskWorldOptions) => DiskWorld | string;

/** Runs a test body in a disk world, or skips it with the reason. */
export async function withDisk(
  context: test.TestContext,
  factory: DiskFactory,
  options: DiskWorldOptions,
  body: (world: DiskWorld) => Promise<void> | void,
): Promise<void> {
  const world = factory(options);
  if (typeof world === 'string') {
    context.skip(world);
    return;
  }
  try {
    await body(world);
  } finally {
    await world.end();
  }
}

/** Appends and waits; returns the code of the failure, null when there is none. */
export async function append(world: DiskWorld, file: DiskFile, ...parts: Buffer[]): Promise<string | null> {
  const error = await called<DiskError | null>(world, (done) => file.append(parts, done));
  return error?.code ?? null;
}

/** Whole content of an open file. */
export function contentOf(file: DiskFile): Buffer {
  const content = Buffer.alloc(file.sizeBytes);
  let at = 0;
  while (at < content.length) {
    const read = file.read(at, content, at, content.length - at);
    assert.ok(read > 0, 'a file has the bytes its size tells');
    at += read;
  }
  return content;
}
