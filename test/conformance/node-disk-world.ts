import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileOperations } from '../../src/io/node/file-operations.ts';
import { NodeDisk } from '../../src/io/node/node-disk.ts';
import type { DiskFactory } from './disk.ts';
import { realWorld } from './real-world.ts';
import { called } from './world.ts';

/** `NodeDisk` in a temporary directory, over either set of system calls; a small tmpfs where a capacity is asked for. */
export function nodeDiskFactory(makeOperations: () => FileOperations): DiskFactory {
  return (options = {}) => {
    const root = fs.mkdtempSync(join(tmpdir(), 'odradek-disk-'));
    if (options.capacityBytes !== undefined) {
      const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${options.capacityBytes}`, 'tmpfs', root]);
      if (mount.status !== 0) {
        fs.rmdirSync(root);
        return 'a small file system needs the right to mount a tmpfs';
      }
    }
    const world = realWorld();
    const faults = new FaultyOperations(makeOperations(), options.shortWrites ?? false);
    const { capacityBytes, shortWrites: _, ...limits } = options;
    const disk = new NodeDisk({ clock: world.clock, operations: faults.operations, ...limits });
    const otherDisk = new NodeDisk({ clock: world.clock, operations: makeOperations() });
    return {
      ...world,
      disk,
      otherDisk,
      root,
      fail: (operation, code, times) => faults.fail(operation, code, times),
      evict: (path) => {
        const args = [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'];
        return faults.operations.name === 'addon' && spawnSync('dd', args).status === 0 && isOnDevice(root);
      },
      openDescriptors: () => disk.descriptors.openDescriptors,
      end: async () => {
        for (const one of [disk, otherDisk]) await called<null>(world, (done) => one.close(() => done(null)));
        if (capacityBytes !== undefined) spawnSync('umount', [root]);
        fs.rmSync(root, { recursive: true, force: true });
      },
    };
  };
}

/** True if files in the directory can leave the memory: those of a file system in memory cannot. */
function isOnDevice(root: string): boolean {
  const TMPFS = 0x01021994;
  return fs.statfsSync(root).type !== TMPFS;
}

/** Real system calls, of which some are made to fail or to write less. */
class FaultyOperations {
  readonly operations: FileOperations;
  readonly #failures: { operation: string; code: string; left: number }[] = [];
  #writes = 0;

  constructor(real: FileOperations, shortWrites: boolean) {
    this.operations = {
      name: real.name,
      open: (path, mode) => real.open(path, mode),
      close: (descriptor) => real.close(descriptor),
      write: (descriptor, parts, position, lane, done) => {
        const code = this.#strike('append');
        if (code !== null) return done(code, 0);
        const short = shortWrites && ++this.#writes % 4 !== 0;
        real.write(descriptor, short ? shorter(parts) : parts, position, lane, done);
      },
      writeNow: (descriptor, data, position) => real.writeNow(descriptor, data, position),
      read: (descriptor, ...rest) => real.read(descriptor, ...rest),
      readCached: (descriptor, ...rest) => real.readCached(descriptor, ...rest),
      warm: (descriptor, ...rest) => real.warm(descriptor, ...rest),
      truncate: (descriptor, sizeBytes) => {
        const code = this.#strike('cut');
        if (code !== null) throw Object.assign(new Error(code), { code });
        real.truncate(descriptor, sizeBytes);
      },
      sync: (descriptor, lane, done) => {
        const code = this.#strike('flush');
        if (code === null) real.sync(descriptor, lane, done);
        else setImmediate(done, code);
      },
      lock: (path) => real.lock(path),
      shutdown: () => real.shutdown(),
    };
  }

  fail(operation: string, code: string, times: number): void {
    this.#failures.push({ operation, code, left: times });
  }

  #strike(operation: string): string | null {
    const failure = this.#failures.find((one) => one.operation === operation && one.left > 0);
    if (failure === undefined) return null;
    failure.left--;
    return failure.code;
  }
}

/** Some of the bytes, at least one. */
function shorter(parts: readonly Buffer[]): readonly Buffer[] {
  const whole = Buffer.concat(parts);
  return [whole.subarray(0, Math.max(1, whole.length >> 1))];
}
