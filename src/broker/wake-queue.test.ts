import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WakeQueue } from './wake-queue.ts';

function sleepers(count: number, onWake: (index: number) => void) {
  return Array.from({ length: count }, (_, index) => ({ wakePending: false, onWake: () => onWake(index) }));
}

test('outside of a turn one is asked for, once', () => {
  let asked = 0;
  const queue = new WakeQueue(
    () => asked++,
    () => false,
  );
  const woken: number[] = [];
  const [first, second] = sleepers(2, (index) => woken.push(index));
  assert.ok(first !== undefined && second !== undefined);
  queue.wake(first);
  queue.wake(second);
  queue.wake(first);
  assert.equal(asked, 1);
  queue.turn();
  queue.run();
  assert.deepEqual(woken, [0, 1]);
  queue.wake(first);
  assert.equal(asked, 2);
});

test('thousands run in several turns, in order and each once, and those of later come behind them', () => {
  let asked = 0;
  const queue = new WakeQueue(
    () => asked++,
    () => true,
  );
  const woken: number[] = [];
  const all = sleepers(1000, (index) => woken.push(index));
  for (const sleeper of all) queue.wake(sleeper);
  queue.run();
  queue.run();
  const inFirstTurn = woken.length;
  assert.ok(inFirstTurn > 0 && inFirstTurn < 200, `${inFirstTurn} ran in one turn`);
  assert.equal(asked, 1);
  queue.wake(all[0] as (typeof all)[0]);
  for (let turns = 1; woken.length < 1001; turns++) {
    assert.equal(asked, turns, 'each turn asks for the next');
    queue.turn();
    queue.run();
  }
  assert.deepEqual(woken, [...all.keys(), 0]);
});

test('whoever is woken by another runs in the same turn', () => {
  const queue = new WakeQueue(
    () => assert.fail('no turn is needed'),
    () => true,
  );
  const woken: number[] = [];
  const pair = sleepers(2, (index) => {
    woken.push(index);
    if (index === 0) queue.wake(pair[1] as (typeof pair)[0]);
  });
  queue.wake(pair[0] as (typeof pair)[0]);
  queue.run();
  assert.deepEqual(woken, [0, 1]);
});
