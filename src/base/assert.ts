/** Thrown when an invariant of the program itself does not hold: always a bug, never bad input. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/**
 * Holds an invariant; stays on in production.
 * @throws AssertionFailure with `message` when `condition` is false.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Marks a branch that cannot be reached; `value` is the case the caller forgot. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable: ${String(value)}`);
}
