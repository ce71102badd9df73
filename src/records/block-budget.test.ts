import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockBudget } from './block-budget.ts';

test('who asks for more than is left waits, and nobody overtakes', () => {
  const budget = new BlockBudget(100);
  const granted: string[] = [];
  budget.acquire(60, () => granted.push('a'));
  budget.acquire(60, () => granted.push('b'));
  budget.acquire(10, () => granted.push('c'));
  assert.deepEqual(granted, ['a']);
  assert.equal(budget.heldBytes, 60);
  budget.release(10);
  assert.deepEqual(granted, ['a']);
  budget.release(50);
  assert.deepEqual(granted, ['a', 'b', 'c']);
  assert.equal(budget.heldBytes, 70);
});

test('what is granted may be given back, and more be asked for, at once', () => {
  const budget = new BlockBudget(10);
  let grants = 0;
  const again = (): void => {
    grants++;
    budget.release(10);
    if (grants < 50_000) budget.acquire(10, again);
  };
  budget.acquire(10, () => undefined);
  budget.acquire(10, again);
  assert.equal(grants, 0);
  budget.release(10);
  assert.equal(grants, 50_000);
  assert.equal(budget.heldBytes, 0);
});

test('more than the whole budget is nothing that anybody may ask for', () => {
  assert.throws(() => new BlockBudget(10).acquire(11, () => undefined));
});
