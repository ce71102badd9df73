import { PortableFileOperations } from '../../src/io/node/portable/file-operations.ts';
import { PortableNetwork } from '../../src/io/node/portable/network.ts';
import { networkFlowSuite } from './network-flow.ts';
import { networkFramesSuite } from './network-frames.ts';
import { networkLifeSuite } from './network-life.ts';
import { networkSendSuite } from './network-send.ts';
import { nodeNetworkFactory } from './node-network-world.ts';

const factory = nodeNetworkFactory({
  makeNetwork: (clock) => new PortableNetwork({ clock, debugPoison: true }),
  makeOperations: () => new PortableFileOperations(),
});
networkFramesSuite('portable', factory);
networkFlowSuite('portable', factory);
networkSendSuite('portable', factory);
networkLifeSuite('portable', factory);
