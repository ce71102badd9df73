import { AddonCompute } from '../../src/io/node/addon/compute.ts';
import { withAddon } from './addon-world.ts';
import { computeSuite } from './compute.ts';
import { realWorld } from './real-world.ts';
import { recordWalkSuite } from './record-walk.ts';

withAddon('compute', (binding) => {
  const makeWorld = () => ({ ...realWorld(), compute: new AddonCompute(binding) });
  computeSuite('addon', makeWorld);
  recordWalkSuite('addon', makeWorld);
});
