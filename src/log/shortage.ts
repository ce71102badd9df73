import type { DiskError } from '../io/disk.ts';

const SHORTAGES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** True for errors that go away when there is room again, on the disk or in the table of open files: they refuse what was asked for, and nothing else is the matter. */
export function isShortage(error: DiskError): boolean {
  return SHORTAGES.has(error.code);
}
