import { VirtualCompute } from '../../sim/virtual/compute.ts';
import { computeSuite } from './compute.ts';
import { recordWalkSuite } from './record-walk.ts';
import { virtualWorld } from './virtual-world.ts';

const makeWorld = () => {
  const world = virtualWorld();
  return { ...world, compute: new VirtualCompute(world.clock) };
};
computeSuite('virtual', makeWorld);
recordWalkSuite('virtual', makeWorld);
