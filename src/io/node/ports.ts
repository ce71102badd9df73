import { randomBytes } from 'node:crypto';
import { Random } from '../../base/random.ts';
import type { Clock } from '../clock.ts';
import type { Compute } from '../compute.ts';
import type { Disk } from '../disk.ts';
import type { HttpServer } from '../http.ts';
import type { Network } from '../network.ts';
import { AddonCompute } from './addon/compute.ts';
import { AddonFileOperations } from './addon/file-operations.ts';
import { loadAddon } from './addon/loader.ts';
import { AddonNetwork } from './addon/network.ts';
import { NodeClock } from './clock.ts';
import { NodeHttpServer } from './http-server.ts';
import { NodeDisk } from './node-disk.ts';
import { PortableCompute } from './portable/compute.ts';
import { PortableFileOperations } from './portable/file-operations.ts';
import { PortableNetwork } from './portable/network.ts';

/** Everything a broker needs of the machine. */
export interface Ports {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
  readonly compute: Compute;
  readonly http: HttpServer;
  /** Seeded by the system. Not for secrets. */
  readonly random: Random;
  /** Which implementation serves. */
  readonly implementation: 'addon' | 'portable';
  /** Why it is not the addon though that was preferred, for one log line; null else. */
  readonly reason: string | null;
}

/** How ports are made. */
export interface PortsOptions {
  /** The addon by default; where it cannot be loaded the portable implementation serves. */
  readonly prefer?: 'addon' | 'portable';
  /** Files kept open at most, pinned ones not counted. */
  readonly maxDescriptors?: number;
  /** Age at which the lease of a stuck reader is revoked. */
  readonly maxLeaseAgeMs?: number;
  /** Overwrites received frames after use, so that who keeps a view is found out. For tests. */
  readonly debugPoison?: boolean;
}

/** Makes the ports of this machine. */
export function createPorts(options: PortsOptions = {}): Ports {
  const { prefer = 'addon', debugPoison = false, ...limits } = options;
  const clock = new NodeClock();
  const http = new NodeHttpServer();
  const random = systemRandom();
  const addon = prefer === 'addon' ? loadAddon() : null;
  if (addon === null || addon.binding === null) {
    return {
      clock,
      http,
      random,
      disk: new NodeDisk({ clock, operations: new PortableFileOperations(), ...limits }),
      network: new PortableNetwork({ clock, debugPoison }),
      compute: new PortableCompute(),
      implementation: 'portable',
      reason: addon?.reason ?? null,
    };
  }
  const { binding } = addon;
  return {
    clock,
    http,
    random,
    disk: new NodeDisk({ clock, operations: new AddonFileOperations(binding), ...limits }),
    network: new AddonNetwork({ binding, scribble: debugPoison }),
    compute: new AddonCompute(binding),
    implementation: 'addon',
    reason: null,
  };
}

function systemRandom(): Random {
  const seed = randomBytes(12);
  return new Random(seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8));
}
