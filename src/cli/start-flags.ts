import type { ConfigFlags } from '../config/sources.ts';

/** Options of `odradek start` as they were typed. */
export interface StartFlags extends ConfigFlags {
  /** Path of a properties file. */
  readonly config?: string;
}
