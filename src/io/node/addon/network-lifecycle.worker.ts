/** Run as a worker thread by the test beside it: serves, has work under way in the addon's threads, and is ended with all of it open. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { AddonFileOperations } from './file-operations.ts';
import { loadAddon } from './loader.ts';
import { AddonNetwork } from './network.ts';
import { framed, limits, pattern, Recorder } from './network-fixture.ts';

const { binding } = loadAddon();
if (binding === null) throw new Error('no addon');
const network = new AddonNetwork({ binding });
const handler = new Recorder();
handler.whenOpen = (connection) => network.setCredits(connection, 10);
handler.whenFrame = (connection) => {
  network.send(connection, [framed('answer'), pattern(4_000_000)]);
  if (workerData === 'exit') process.exit(0);
};
const operations = new AddonFileOperations(binding);
const root = fs.mkdtempSync(join(tmpdir(), 'odradek-worker-'));
const descriptor = operations.open(`${root}/file`, 'create');
fs.rmSync(root, { recursive: true });
const write = (): void => {
  operations.write(descriptor, [pattern(2_000_000)], 0, 0, () => operations.sync(descriptor, 0, write));
};
write();
const { port } = network.listen({ host: '127.0.0.1', port: 0, limits: limits(), handler });
parentPort?.postMessage(port);
