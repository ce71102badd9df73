import test from 'node:test';
import type { AddonBinding } from '../../src/io/node/addon/binding.ts';
import { loadAddon } from '../../src/io/node/addon/loader.ts';

/** Defines tests of the addon, or one that is skipped with the reason where there is none. */
export function withAddon(what: string, define: (binding: AddonBinding) => void): void {
  const { binding, reason } = loadAddon();
  if (binding !== null) define(binding);
  else test(`addon ${what}`, { skip: `no addon: ${reason}` }, () => {});
}
