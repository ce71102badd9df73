import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/io/clock.ts';
import type { Network } from '../../src/io/network.ts';
import type { FileOperations } from '../../src/io/node/file-operations.ts';
import { NodeDisk } from '../../src/io/node/node-disk.ts';
import type { NetworkFactory } from './network.ts';
import { realWorld } from './real-world.ts';
import { called } from './world.ts';

/** Two networks of this machine over its loopback, and a disk with few descriptors. */
export function nodeNetworkFactory(parts: {
  makeNetwork: (clock: Clock) => Network;
  makeOperations: () => FileOperations;
}): NetworkFactory {
  return () => {
    const world = realWorld();
    const root = fs.mkdtempSync(join(tmpdir(), 'odradek-network-'));
    const disk = new NodeDisk({ clock: world.clock, operations: parts.makeOperations(), maxDescriptors: 4 });
    const server = parts.makeNetwork(world.clock);
    const client = parts.makeNetwork(world.clock);
    return {
      ...world,
      server,
      client,
      host: '127.0.0.1',
      disk,
      root,
      end: async () => {
        for (const network of [client, server]) {
          await called<null>(world, (done) => network.shutdown(() => done(null)));
        }
        await called<null>(world, (done) => disk.close(() => done(null)));
        fs.rmSync(root, { recursive: true, force: true });
      },
    };
  };
}
