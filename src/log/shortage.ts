import type { DiskError } from '../io/disk.ts';

/** True for errors that go away when there is room again: they refuse what was asked for, and nothing else is the matter. */
export function isShortage(error: DiskError): boolean {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT';
}
