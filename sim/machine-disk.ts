import type { Random } from '../src/base/random.ts';
import { type DiskFault, DiskFaults, type DiskOperation } from './virtual/disk-faults.ts';
import { VirtualDisk, type VirtualDiskOptions } from './virtual/disk.ts';

/** How a machine goes down at a disk operation: the process alone, or with its power. */
export type CrashKind = 'kill' | 'power';

/** Thrown out of the disk operation that the broker did not live to see; nothing of that operation has happened. */
export class MachineDown extends Error {
  override readonly name = 'MachineDown';
}

/** Operations that change what is on the disk: the places at which a crash can tell one state from another. */
const CHANGING: ReadonlySet<DiskOperation> = new Set<DiskOperation>([
  'open',
  'append',
  'cut',
  'write',
  'truncate',
  'flush',
  'flushDirectory',
  'rename',
  'remove',
  'makeDirectory',
]);

/** A virtual disk on which the machine can go down at the n-th operation from now, in the middle of whatever the broker does there. */
export class MachineDisk extends VirtualDisk {
  override readonly faults: CountingFaults;

  /** @param options as of `VirtualDisk`; `random` is needed */
  constructor(options: VirtualDiskOptions & { readonly random: Random }) {
    super(options);
    this.faults = new CountingFaults(options.random.fork());
  }
}

/** Faults that also know when the machine goes down. */
class CountingFaults extends DiskFaults {
  #armed: { left: number; readonly kind: CrashKind } | null = null;
  /** Set once the machine went down at an operation; every later one is refused until `revive`. */
  down: CrashKind | null = null;
  #inForce = 0;
  /** What was done, in order, as `operation kind-of-file`. */
  readonly operations: string[] = [];

  /** True while any fault is in force. */
  get inForce(): boolean {
    return this.#inForce > 0;
  }

  override add(fault: DiskFault): () => void {
    const lift = super.add(fault);
    let lifted = false;
    this.#inForce++;
    return () => {
      if (!lifted) this.#inForce--;
      lifted = true;
      lift();
    };
  }

  /** The machine goes down at the n-th changing operation from now; the last call counts. */
  arm(n: number, kind: CrashKind): void {
    this.#armed = { left: n, kind };
  }

  /** Forgets what was armed. */
  disarm(): void {
    this.#armed = null;
  }

  /** The machine is up again. */
  revive(): void {
    this.down = null;
  }

  override strike(operation: DiskOperation, path: string): string | null {
    const armed = this.#armed;
    const changes = CHANGING.has(operation);
    if (changes && this.down === null) this.operations.push(`${operation} ${kindOf(path)}`);
    if (armed !== null && changes && --armed.left <= 0) {
      this.#armed = null;
      this.down = armed.kind;
    }
    if (this.down !== null) throw new MachineDown(`the machine is down: ${operation} ${path}`);
    return super.strike(operation, path);
  }
}

/** What a path names, without names and numbers: `topic/.log`, `topic-delete/`, `recovery-point-offset-checkpoint.tmp`. */
function kindOf(path: string): string {
  return path
    .replace(/^\/data\/?/, '')
    .replace(/topic-\d+-\d+\.[0-9a-f]+-(\w+)/, 'topic-$1')
    .replace(/topic-\d+-\d+/, 'topic')
    .replace(/\d{20}(-\d{10})?/, '');
}
