import fs from 'node:fs';
import { createRequire } from 'node:module';
import type * as sqlite from 'node:sqlite';
import type { FileLock } from '../file-operations.ts';

/** SQLite's result code when another process has the file locked. */
const SQLITE_BUSY = 5;

/**
 * Takes a record lock on a file without the addon. Node has no `fcntl`, but the SQLite inside it locks its database files by just that system call (on
 * Windows by `LockFileEx`, again as Java does): an empty file is an empty database, and an exclusive transaction on it is a write lock on some of its
 * byte range. Apache Kafka locks the whole range of `.lock`, so the two exclude each other. Nothing is ever written.
 *
 * Such a lock belongs to the process and is lost when the process closes any descriptor of the file, so nobody else here may open it.
 * @returns null when another process holds it. @throws Error with a system `code`: `ENOTSUP` where Node was built without SQLite
 */
export function lockWithSqlite(path: string): FileLock | null {
  const { DatabaseSync } = loadSqlite();
  if (!fs.existsSync(path)) fs.closeSync(fs.openSync(path, 'a', 0o644));
  let database: sqlite.DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path);
    // A journal in memory: else an empty `.lock-journal` would appear beside the file.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw Object.assign(new Error(`the lock file cannot be used: ${String(error)}`, { cause: error }), {
      code: 'ENOLCK',
    });
  }
  const held = database;
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      held.close();
    },
  };
}

function loadSqlite(): typeof sqlite {
  try {
    return createRequire(import.meta.url)('node:sqlite') as typeof sqlite;
  } catch (error) {
    throw Object.assign(new Error('this Node has no SQLite, and the addon is missing', { cause: error }), {
      code: 'ENOTSUP',
    });
  }
}
