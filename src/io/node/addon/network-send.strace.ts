/** Run under strace by the test beside it: sends ten ranges of 4 KB and four of 1 MB to itself, and ends. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeClock } from '../clock.ts';
import { NodeDisk } from '../node-disk.ts';
import { AddonFileOperations } from './file-operations.ts';
import { loadAddon } from './loader.ts';
import { AddonNetwork } from './network.ts';
import { limits, Recorder } from './network-fixture.ts';

const { binding } = loadAddon();
if (binding === null) throw new Error('no addon');
const root = fs.mkdtempSync(join(tmpdir(), 'odradek-strace-'));
const disk = new NodeDisk({ clock: new NodeClock(), operations: new AddonFileOperations(binding) });
const file = disk.open(`${root}/file`, 'create');
file.append([Buffer.alloc(1 << 20, 7)], () => {});
const network = new AddonNetwork({ binding });
const server = new Recorder();
const client = new Recorder();
const { port } = network.listen({ host: '127.0.0.1', port: 0, limits: limits(), handler: server });
client.whenOpen = (connection) => network.setCredits(connection, 100);
server.whenOpen = (connection) => {
  for (const lengthBytes of [...Array.from({ length: 10 }, () => 4096), 1 << 20, 1 << 20, 1 << 20, 1 << 20]) {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(lengthBytes);
    network.send(connection, [prefix, file.lease(0, lengthBytes)]);
  }
};
client.whenFrame = () => {
  if (client.frames.length < 14) return;
  network.shutdown(() => disk.close(() => fs.rmSync(root, { recursive: true })));
};
network.connect({ host: '127.0.0.1', port, limits: limits(), handler: client });
