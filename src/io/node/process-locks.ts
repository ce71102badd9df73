/**
 * Locks taken within this process, by device and inode. The system's record locks belong to the process, so that without this list two brokers in one process would
 * both get one. It hangs on the global object because a process may load this file twice (two bundles, two versions of the package).
 */
const KEY = Symbol.for('odradek.io.locks');

/** The process's one list. */
export function processLocks(): Set<string> {
  const holder = globalThis as { [KEY]?: Set<string> };
  return (holder[KEY] ??= new Set());
}
