import { PortableFileOperations } from '../../src/io/node/portable/file-operations.ts';
import { clockSuite } from './clock.ts';
import { diskDirectoriesSuite } from './disk-directories.ts';
import { diskFilesSuite } from './disk-files.ts';
import { diskLeasesSuite } from './disk-leases.ts';
import { nodeDiskFactory } from './node-disk-world.ts';
import { realWorld } from './real-world.ts';

const factory = nodeDiskFactory(() => new PortableFileOperations());
clockSuite('node', realWorld);
diskFilesSuite('portable', factory);
diskDirectoriesSuite('portable', factory);
diskLeasesSuite('portable', factory);
