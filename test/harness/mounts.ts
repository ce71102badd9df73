import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { skipOrFail } from './environment.ts';

/**
 * Makes a file system of its own in memory at `path`, to be filled. @returns what takes it down; null, with the test marked as skipped (in CI it fails), where mounting is not
 * allowed
 */
export function mountSmallDisk(t: TestContext, path: string, megabytes: number): (() => void) | null {
  mkdirSync(path, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    skipOrFail(t, `no file system can be mounted here: ${stderr}`);
    return null;
  }
  const unmount = (): void => {
    process.off('exit', unmount);
    spawnSync('umount', ['-l', path]);
  };
  process.once('exit', unmount);
  return unmount;
}
