import { randomBytes } from 'node:crypto';
import { Random } from '../../src/base/random.ts';
import type { ClientPorts } from '../../src/client/cluster.ts';
import { NodeClock } from '../../src/io/node/clock.ts';
import { PortableCompute } from '../../src/io/node/portable/compute.ts';
import { PortableNetwork } from '../../src/io/node/portable/network.ts';

/**
 * Real ports for the project's client in a test, and how to let go of them. Portable ones, because a test has no addon of its own; frames
 * are overwritten after use, so that a view that was kept shows.
 */
export function realPorts(): { readonly ports: ClientPorts; readonly close: () => Promise<void> } {
  const clock = new NodeClock();
  const network = new PortableNetwork({ clock, debugPoison: true });
  const random = new Random(randomBytes(4).readUInt32BE(0));
  return {
    ports: { clock, network, compute: new PortableCompute(), random },
    close: () =>
      new Promise((resolve) => {
        network.shutdown(resolve);
      }),
  };
}
