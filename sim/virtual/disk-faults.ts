import type { Random } from '../../src/base/random.ts';

/** The operations of a virtual disk that can be made to fail. `cut` is the taking back of a failed append. */
export type DiskOperation =
  | 'open'
  | 'append'
  | 'cut'
  | 'write'
  | 'read'
  | 'truncate'
  | 'flush'
  | 'flushDirectory'
  | 'rename'
  | 'remove'
  | 'list'
  | 'makeDirectory';

/** One way in which a virtual disk misbehaves. */
export interface DiskFault {
  /** What fails; all operations when left out. */
  readonly operation?: DiskOperation | readonly DiskOperation[];
  /** Paths it concerns: those that begin so. All when left out. */
  readonly pathPrefix?: string;
  /** The system error, `EIO` when left out. */
  readonly code?: string;
  /** How likely one call fails, 1 when left out. */
  readonly probability?: number;
  /** After so many failures the fault is gone; never when left out. */
  readonly times?: number;
}

/** The faults that are in force. */
export class DiskFaults {
  readonly #random: Random;
  readonly #faults = new Map<number, { readonly fault: DiskFault; left: number }>();
  #nextId = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Puts a fault in force; the function returned lifts it. */
  add(fault: DiskFault): () => void {
    const id = this.#nextId++;
    this.#faults.set(id, { fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    return () => void this.#faults.delete(id);
  }

  /** Lifts all. */
  clear(): void {
    this.#faults.clear();
  }

  /** The code with which this call fails, null when it does not. */
  strike(operation: DiskOperation, path: string): string | null {
    for (const [id, entry] of this.#faults) {
      const { fault } = entry;
      if (!concerns(fault, operation, path)) continue;
      if (fault.probability !== undefined && !this.#random.chance(fault.probability)) continue;
      if (--entry.left <= 0) this.#faults.delete(id);
      return fault.code ?? 'EIO';
    }
    return null;
  }
}

function concerns(fault: DiskFault, operation: DiskOperation, path: string): boolean {
  if (fault.pathPrefix !== undefined && !path.startsWith(fault.pathPrefix)) return false;
  if (fault.operation === undefined) return true;
  return typeof fault.operation === 'string'
    ? fault.operation === operation
    : fault.operation.includes(operation);
}
