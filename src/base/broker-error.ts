/**
 * An operating error: something outside the program is wrong (a disk, a port, a file, a setting). Bad input from
 * a client is a value with a Kafka error code instead, and a bug is an `AssertionFailure`.
 */
export class BrokerError extends Error {
  override readonly name: string = 'BrokerError';
  /** Stable, upper snake case, for programs: `CONFIG_INVALID`, `DIRECTORY_LOCKED`, … */
  readonly code: string;

  /** @param message what is wrong, where, and what the user can do. */
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
