/** Run with few descriptors by the test beside it: answers frames, prints its port and, for each line it is given, the µs of processor time it has used. */
import { loadAddon } from './loader.ts';
import { AddonNetwork } from './network.ts';
import { framed, limits, Recorder } from './network-fixture.ts';

const { binding } = loadAddon();
if (binding === null) throw new Error('no addon');
const network = new AddonNetwork({ binding });
const handler = new Recorder();
handler.whenOpen = (connection) => network.setCredits(connection, 10);
handler.whenFrame = (connection) => network.send(connection, [framed('answer')]);
const { port } = network.listen({ host: '127.0.0.1', port: 0, limits: limits(), handler });
console.log(port);
process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage();
  console.log(user + system);
});
