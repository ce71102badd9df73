import { networkFlowSuite } from './network-flow.ts';
import { networkFramesSuite } from './network-frames.ts';
import { networkLifeSuite } from './network-life.ts';
import { networkSendSuite } from './network-send.ts';
import { virtualNetworkFactory } from './virtual-network-world.ts';

for (const seed of [1, 2]) {
  const name = `virtual (seed ${seed})`;
  const factory = virtualNetworkFactory(seed);
  networkFramesSuite(name, factory);
  networkFlowSuite(name, factory);
  networkSendSuite(name, factory);
  networkLifeSuite(name, factory);
}
