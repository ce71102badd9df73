/** Where a partition's directory is. One object shared by all that reach into it, so that a rename is known to them at once. */
export interface LogPlace {
  /** Absolute. */
  path: string;
}
