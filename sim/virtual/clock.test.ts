import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from './clock.ts';

test('events run by time, and by order of scheduling within one time', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ atMs: fc.nat(20), cancelled: fc.boolean() })), (events) => {
      const clock = new VirtualClock();
      const ran: number[] = [];
      const handles = events.map((event, index) => clock.schedule(event.atMs, () => ran.push(index)));
      events.forEach((event, index) => {
        if (event.cancelled) clock.cancel(handles[index] as object);
      });
      const expected = events
        .map((event, index) => ({ ...event, index }))
        .filter((event) => !event.cancelled)
        .sort((a, b) => a.atMs - b.atMs || a.index - b.index)
        .map((event) => event.index);
      assert.equal(clock.pendingEvents, expected.length);
      assert.equal(clock.runUntilIdle(), expected.length);
      assert.deepEqual(ran, expected);
    }),
  );
});

test('time stands still until it is moved, and the wall clock moves with it', () => {
  const clock = new VirtualClock({ startWallMs: 1000 });
  assert.equal(clock.wallMs(), 1000);
  clock.runFor(250.75);
  assert.equal(clock.monotonicMs(), 250.75);
  assert.equal(clock.wallMs(), 1250);
});

test('a stopped host runs nothing more, while the others go on', () => {
  const clock = new VirtualClock();
  const [a, b] = [clock.forHost(), clock.forHost({ wallOffsetMs: 500 })];
  const ran: string[] = [];
  a.schedule(5, () => ran.push('a'));
  a.defer(() => ran.push('a deferred'));
  b.schedule(5, () => ran.push('b'));
  a.stop();
  clock.runUntilIdle();
  assert.deepEqual(ran, ['b']);
  assert.equal(b.wallMs() - a.wallMs(), 500);
});

test('a condition that never holds ends at its limit', () => {
  const clock = new VirtualClock();
  const tick = (): void => void clock.schedule(clock.monotonicMs() + 1, tick);
  tick();
  assert.equal(
    clock.runUntilTrue(() => false, 10),
    false,
  );
  assert.equal(clock.monotonicMs(), 10);
});

test('promises make progress between events', async () => {
  const clock = new VirtualClock();
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => clock.schedule(clock.monotonicMs() + ms, resolve));
  const work = async (): Promise<number> => {
    await sleep(10);
    await sleep(20);
    return clock.monotonicMs();
  };
  assert.equal(await clock.drive(work()), 30);
  await assert.rejects(clock.drive(sleep(100), 50), /did not settle/);
});
