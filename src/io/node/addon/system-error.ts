import { getSystemErrorMap } from 'node:util';

/** Names that Node's own table lacks. */
const MORE: Readonly<Record<number, string>> = { 37: 'ENOLCK', 116: 'ESTALE', 117: 'EUCLEAN', 122: 'EDQUOT' };

let names: Map<number, [string, string]> | undefined;

/** The system's name of an error number (`ENOSPC` of 28), however it is signed. */
export function errorName(number: number): string {
  names ??= getSystemErrorMap();
  const errno = Math.abs(number);
  return names.get(-errno)?.[0] ?? MORE[errno] ?? `E${errno}`;
}

/** An error with the system's name as its `code`, as the calls of `node:fs` throw it. */
export function systemError(number: number, call: string): Error & { code: string } {
  const code = errorName(number);
  return Object.assign(new Error(`${call}: ${code}`), { code });
}
