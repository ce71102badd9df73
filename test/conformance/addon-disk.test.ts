import { AddonFileOperations } from '../../src/io/node/addon/file-operations.ts';
import { withAddon } from './addon-world.ts';
import { diskDirectoriesSuite } from './disk-directories.ts';
import { diskFilesSuite } from './disk-files.ts';
import { diskLeasesSuite } from './disk-leases.ts';
import { nodeDiskFactory } from './node-disk-world.ts';

withAddon('disk', (binding) => {
  const factory = nodeDiskFactory(() => new AddonFileOperations(binding));
  diskFilesSuite('addon', factory);
  diskDirectoriesSuite('addon', factory);
  diskLeasesSuite('addon', factory);
});
