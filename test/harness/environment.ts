import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';

/** Root of the checkout. */
export const ROOT_DIRECTORY = join(import.meta.dirname, '..', '..');

/** True where every foreign tool must be there: a missing one fails the test instead of skipping it. */
export const IN_CI = process.env['CI'] === 'true' || process.env['CI'] === '1';

/** How many numbered records go through each client (`ODRADEK_RECORDS`; a million is the full proof). */
export const RECORD_COUNT = positiveInteger('ODRADEK_RECORDS', 20_000);

/** Deadline of one step that moves `RECORD_COUNT` records, in ms: at least a minute, and 0.5 ms a record. */
export const STEP_TIMEOUT_MS = 60_000 + Math.ceil(RECORD_COUNT / 2);

/** Absolute path of a program on `PATH`, or null. */
export function findTool(name: string): string | null {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return null;
}

/**
 * Path of a program the test needs. Where the machine lacks it the test is marked as skipped, with the reason, and null is returned;
 * in CI that is a failure.
 * @throws Error in CI when the program is missing.
 */
export function toolOrSkip(t: TestContext, name: string): string | null {
  const path = findTool(name);
  if (path === null) skipOrFail(t, `${name} is not installed`);
  return path;
}

/**
 * Skips the test for a missing tool.
 * @throws Error in CI, where nothing may be skipped.
 */
export function skipOrFail(t: TestContext, reason: string): void {
  if (IN_CI) throw new Error(`${reason}, and in CI nothing is skipped`);
  t.skip(reason);
}

function positiveInteger(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new Error(`${name}=${text} is not a whole number above 0`);
  return value;
}
