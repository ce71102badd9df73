/** Finds and loads the native addon; without one the portable implementation serves. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { constants } from 'node:os';
import type { AddonBinding } from './binding.ts';

/** The loaded addon, or why there is none. */
export type LoadedAddon =
  | { readonly binding: AddonBinding; readonly path: string; readonly reason: null }
  | { readonly binding: null; readonly path: null; readonly reason: string };

const BINARY = `odradek-${process.platform}-${process.arch}.node`;
/** How far above this file a folder with the binary is looked for: `.build/` of a checkout is four folders up. */
const LEVELS = 5;

let loaded: LoadedAddon | undefined;

/**
 * Loads the addon once per process: beside the bundle (`dist/`), or from `.build/` of a checkout. `ODRADEK_ADDON=off` in
 * the environment disables it; any other value but `on` is the path of the binary to load.
 */
export function loadAddon(): LoadedAddon {
  loaded ??= load(process.env['ODRADEK_ADDON'] ?? 'on');
  return loaded;
}

function load(setting: string): LoadedAddon {
  if (setting === 'off') return missing('switched off by ODRADEK_ADDON=off');
  const path = setting === 'on' || setting === '' ? find() : setting;
  if (path === null) return missing(`there is no ${BINARY} beside the program`);
  const module = { exports: {} };
  try {
    process.dlopen(module, path, constants.dlopen.RTLD_NOW);
  } catch (error) {
    return missing(`${path} cannot be loaded: ${(error as Error).message}`);
  }
  return { binding: module.exports as AddonBinding, path, reason: null };
}

function missing(reason: string): LoadedAddon {
  return { binding: null, path: null, reason };
}

function find(): string | null {
  let folder = import.meta.dirname;
  for (let level = 0; level < LEVELS; level++, folder = dirname(folder)) {
    for (const path of [join(folder, BINARY), join(folder, '.build', BINARY)])
      if (existsSync(path)) return path;
  }
  return null;
}
