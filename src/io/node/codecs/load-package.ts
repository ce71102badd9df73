import { createRequire } from 'node:module';
import { ComputeError } from '../../compute.ts';

/** Loads a package with native code, with the first batch that needs it. @throws ComputeError `unsupported` where it is not installed for this platform */
export function loadPackage(name: string): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch (error) {
    throw new ComputeError('unsupported', `the package ${name} cannot be loaded`, { cause: error });
  }
}
