/**
 * Locks taken within this process, by device and inode; the list also keeps them from being collected, which would let go of them. The system's record locks belong to the process, so that without this list two brokers in one process would
 * both get one. It hangs on the global object because a process may load this file twice (two bundles, two versions of the package).
 */
const KEY = Symbol.for('odradek.io.locks');

/** The process's one list. */
export function processLocks(): Map<string, object> {
  const holder = globalThis as { [KEY]?: Map<string, object> };
  return (holder[KEY] ??= new Map());
}
