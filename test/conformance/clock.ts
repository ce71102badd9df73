import assert from 'node:assert/strict';
import test from 'node:test';
import type { World } from './world.ts';

/** What every `Clock` does. */
export function clockSuite(name: string, makeWorld: () => World): void {
  test(`${name} clock: a scheduled call comes once, not before its deadline, and not inside the call`, async () => {
    const world = makeWorld();
    const { clock } = world;
    const startMs = clock.monotonicMs();
    const ranMs: number[] = [];
    clock.schedule(startMs + 5.5, () => ranMs.push(clock.monotonicMs()));
    clock.schedule(startMs - 100, () => ranMs.push(clock.monotonicMs()));
    assert.deepEqual(ranMs, []);
    await world.until(() => ranMs.length === 2, 'both timers');
    assert.ok((ranMs.at(-1) ?? 0) >= startMs + 5.5);
    await world.pass(10);
    assert.equal(ranMs.length, 2);
  });

  test(`${name} clock: a cancelled call does not come, and cancelling one that ran is nothing`, async () => {
    const world = makeWorld();
    const { clock } = world;
    const ran: string[] = [];
    const first = clock.schedule(clock.monotonicMs() + 1, () => ran.push('first'));
    const second = clock.schedule(clock.monotonicMs() + 2, () => ran.push('second'));
    clock.schedule(clock.monotonicMs() + 3, () => ran.push('third'));
    clock.cancel(second);
    await world.until(() => ran.includes('third'), 'the third timer');
    clock.cancel(first);
    assert.deepEqual(ran, ['first', 'third']);
  });

  test(`${name} clock: a deadline past every system timer's range does not come at once`, async () => {
    const world = makeWorld();
    const { clock } = world;
    let ran = false;
    const handle = clock.schedule(clock.monotonicMs() + 2 ** 33, () => (ran = true));
    await world.pass(5);
    clock.cancel(handle);
    assert.equal(ran, false);
  });

  test(`${name} clock: deferred calls keep their order and run in a later turn`, async () => {
    const world = makeWorld();
    const { clock } = world;
    const ran: number[] = [];
    for (let i = 0; i < 5; i++) clock.defer(() => ran.push(i));
    assert.deepEqual(ran, []);
    await world.until(() => ran.length === 5, 'deferred calls');
    assert.deepEqual(ran, [0, 1, 2, 3, 4]);
  });

  test(`${name} clock: the wall clock gives whole milliseconds, the monotonic one never goes back`, async () => {
    const world = makeWorld();
    const { clock } = world;
    assert.ok(Number.isSafeInteger(clock.wallMs()));
    let lastMs = clock.monotonicMs();
    for (let i = 0; i < 20; i++) {
      await world.pass(0.2);
      assert.ok(clock.monotonicMs() >= lastMs);
      lastMs = clock.monotonicMs();
    }
  });
}
