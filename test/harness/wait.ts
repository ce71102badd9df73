/** Resolves after `delayMs`. */
export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

/**
 * Asks `probe` every `intervalMs` until it gives something other than null, undefined or false, and returns that.
 * @throws Error naming `what` when `timeoutMs` have passed; the cause is what `probe` threw last.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: { readonly timeoutMs: number; readonly intervalMs?: number },
): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`${what}: not within ${options.timeoutMs} ms`, { cause: last });
    }
    await sleep(options.intervalMs ?? 50);
  }
}
