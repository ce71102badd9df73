import { AddonFileOperations } from '../../src/io/node/addon/file-operations.ts';
import { AddonNetwork } from '../../src/io/node/addon/network.ts';
import { withAddon } from './addon-world.ts';
import { networkFlowSuite } from './network-flow.ts';
import { networkFramesSuite } from './network-frames.ts';
import { networkLifeSuite } from './network-life.ts';
import { networkSendSuite } from './network-send.ts';
import { nodeNetworkFactory } from './node-network-world.ts';

withAddon('network', (binding) => {
  const factory = nodeNetworkFactory({
    makeNetwork: () => new AddonNetwork({ binding, scribble: true }),
    makeOperations: () => new AddonFileOperations(binding),
  });
  networkFramesSuite('addon', factory);
  networkFlowSuite('addon', factory);
  networkSendSuite('addon', factory);
  networkLifeSuite('addon', factory);
});
