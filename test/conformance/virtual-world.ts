import assert from 'node:assert/strict';
import { VirtualClock } from '../../sim/virtual/clock.ts';
import type { World } from './world.ts';

/** Virtual time, which moves only while a test waits. */
export function virtualWorld(): World & { readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return {
    clock,
    until: async (condition, what) => {
      assert.ok(await clock.driveUntilTrue(condition, 60_000), `waited in vain for ${what}`);
    },
    pass: async (durationMs) => {
      const endMs = clock.monotonicMs() + durationMs;
      await clock.driveUntilTrue(() => false, durationMs);
      clock.runUntil(endMs);
    },
  };
}
