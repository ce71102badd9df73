import { PortableCompute } from '../../src/io/node/portable/compute.ts';
import { computeSuite } from './compute.ts';
import { realWorld } from './real-world.ts';
import { recordWalkSuite } from './record-walk.ts';

const makeWorld = () => ({ ...realWorld(), compute: new PortableCompute() });
computeSuite('portable', makeWorld);
recordWalkSuite('portable', makeWorld);
