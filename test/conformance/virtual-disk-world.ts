import { Random } from '../../src/base/random.ts';
import { SSD_LATENCY, VirtualDisk } from '../../sim/virtual/disk.ts';
import type { DiskFactory } from './disk.ts';
import { virtualWorld } from './virtual-world.ts';
import { called } from './world.ts';

/** A virtual disk, quick (all inline) or with the latency of a real one. */
export function virtualDiskFactory(latency: 'inline' | 'ssd'): DiskFactory {
  return (options = {}) => {
    const world = virtualWorld();
    const { shortWrites, maxDescriptors: _, ...rest } = options;
    const disk = new VirtualDisk({
      clock: world.clock,
      random: new Random(7),
      latency: latency === 'ssd' ? SSD_LATENCY : 'inline',
      shortWrites: shortWrites === true ? 0.75 : 0,
      ...rest,
    });
    disk.makeDirectory('/data');
    return {
      ...world,
      disk,
      otherDisk: disk,
      root: '/data',
      fail: (operation, code, times) => void disk.faults.add({ operation, code, times }),
      evict: () => {
        disk.evict();
        return true;
      },
      openDescriptors: () => null,
      end: async () => {
        await called<null>(world, (done) => disk.close(() => done(null)));
      },
    };
  };
}
