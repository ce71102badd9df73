import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeClock } from '../../src/io/node/clock.ts';
import type { World } from './world.ts';

/** Real time. */
export function realWorld(): World {
  const clock = new NodeClock();
  return {
    clock,
    until: async (condition, what) => {
      const endMs = clock.monotonicMs() + 10_000;
      while (!condition()) {
        assert.ok(clock.monotonicMs() < endMs, `waited in vain for ${what}`);
        await sleep(1);
      }
    },
    pass: async (durationMs) => {
      await sleep(durationMs);
    },
  };
}
