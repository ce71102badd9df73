import { Random } from '../../src/base/random.ts';
import { VirtualDisk } from '../../sim/virtual/disk.ts';
import { VirtualInternet } from '../../sim/virtual/network.ts';
import type { NetworkFactory } from './network.ts';
import { virtualWorld } from './virtual-world.ts';

/** Two hosts of a virtual internet. */
export function virtualNetworkFactory(seed: number): NetworkFactory {
  return () => {
    const world = virtualWorld();
    const random = new Random(seed);
    const internet = new VirtualInternet({ clock: world.clock, random, latencyMs: [0.01, 0.4] });
    const disk = new VirtualDisk({ clock: world.clock, random: random.fork() });
    disk.makeDirectory('/data');
    return {
      ...world,
      server: internet.host('broker-1'),
      client: internet.host('client-1'),
      host: 'broker-1',
      disk,
      root: '/data',
      end: async () => {},
    };
  };
}
