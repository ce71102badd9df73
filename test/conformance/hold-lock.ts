// A process that holds the lock of its second argument by the implementation of its first, until its input ends.
import process from 'node:process';
import { createPorts } from '../../src/io/node/ports.ts';

const [implementation, path] = process.argv.slice(2) as ['addon' | 'portable', string];
createPorts({ prefer: implementation }).disk.lock(path);
process.stdout.write('held\n');
process.stdin.resume();
