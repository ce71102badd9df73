import fs from 'node:fs';

/**
 * Bounds of the search for a holder, which reads one small file per open descriptor of the machine. A lock is taken when a broker starts, so its descriptor is
 * among the lowest of its process; what comes later are connections, of which there may be very many.
 */
const MAX_DESCRIPTORS_LOOKED_AT = 50_000;
const MAX_DESCRIPTORS_OF_A_PROCESS = 1_000;
/** What the kernel lists is put together while others come and go, and a holder may be missed: the search is made again, a little later. */
const MAX_SEARCHES = 10;
const SEARCH_AGAIN_MS = 20;

/**
 * Says who holds a record lock on a file, as far as `/proc` tells: `process 4711 (java)`. Null where it does not (other systems, another user's or
 * container's process).
 */
export function describeLockHolder(path: string): string | null {
  try {
    const stat = fs.statSync(path, { bigint: true });
    const inode = String(stat.ino);
    for (let search = 1; ; search++) {
      const pid = readable(() => pidFromLocks(inode), null) ?? pidFromDescriptors(inode);
      if (pid !== null) return describeProcess(pid);
      if (search === MAX_SEARCHES) return null;
      pause(SEARCH_AGAIN_MS);
    }
  } catch {
    return null;
  }
}

/** Blocks the thread: a start that is about to be refused has nothing better to do. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** `/proc/locks` names the process of a lock that belongs to a process (`POSIX`); one of a descriptor (`OFDLCK`) shows -1. */
function pidFromLocks(inode: string): number | null {
  for (const line of fs.readFileSync('/proc/locks', 'utf8').split('\n')) {
    const pid = holderInLine(line, inode);
    if (pid !== null && pid > 0) return pid;
  }
  return null;
}

/** The descriptor that holds a lock shows it in its `fdinfo`. */
function pidFromDescriptors(inode: string): number | null {
  let left = MAX_DESCRIPTORS_LOOKED_AT;
  for (const pid of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const descriptors = readable(() => fs.readdirSync(`/proc/${pid}/fdinfo`), []);
    descriptors.sort((a, b) => Number(a) - Number(b));
    for (const info of descriptors.slice(0, MAX_DESCRIPTORS_OF_A_PROCESS)) {
      if (--left < 0) return null;
      const text = readable(() => fs.readFileSync(`/proc/${pid}/fdinfo/${info}`, 'utf8'), '');
      if (!text.includes('lock:')) continue;
      if (text.split('\n').some((line) => line.startsWith('lock:') && holderInLine(line, inode) !== null)) {
        return Number(pid);
      }
    }
  }
  return null;
}

/** The process id in a line such as `1: POSIX  ADVISORY  WRITE 4711 fe:00:9978135 0 EOF` about the inode; null if it is about another. */
function holderInLine(line: string, inode: string): number | null {
  const match = /(?:POSIX|OFDLCK)\s+\S+\s+WRITE\s+(-?\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line);
  return match !== null && match[2] === inode ? Number(match[1]) : null;
}

function describeProcess(pid: number): string {
  const name = readable(() => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), '');
  return name === '' ? `process ${pid}` : `process ${pid} (${name})`;
}

/** Processes come and go, and those of other users are closed to us. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
