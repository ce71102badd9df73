import { clockSuite } from './clock.ts';
import { diskDirectoriesSuite } from './disk-directories.ts';
import { diskFilesSuite } from './disk-files.ts';
import { diskLeasesSuite } from './disk-leases.ts';
import { virtualDiskFactory } from './virtual-disk-world.ts';
import { virtualWorld } from './virtual-world.ts';

clockSuite('virtual', virtualWorld);
for (const latency of ['inline', 'ssd'] as const) {
  const factory = virtualDiskFactory(latency);
  const name = `virtual (${latency})`;
  diskFilesSuite(name, factory);
  diskDirectoriesSuite(name, factory);
  diskLeasesSuite(name, factory);
}
