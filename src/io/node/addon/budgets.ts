import { assert } from '../../../base/assert.ts';
import type { ReceiveBudget } from '../../network.ts';
import { BUDGET_CAPACITY, BUDGET_FIELDS, type SharedMemory } from './layout.ts';

interface Entry {
  readonly index: number;
  users: number;
  /** Bytes that the native side had taken when last looked at. */
  usedBytes: number;
}

/** The budgets in use, each with a cell that the native side counts in. Another network may count in the same budget. */
export class Budgets {
  readonly #cells: Float64Array;
  readonly #entries = new Map<ReceiveBudget, Entry>();
  readonly #free: number[] = Array.from({ length: BUDGET_CAPACITY }, (_, i) => BUDGET_CAPACITY - 1 - i);

  constructor(memory: SharedMemory) {
    this.#cells = memory.budgets;
  }

  /** Index of the budget's cell; it stays that until `release` was called as often. */
  acquire(budget: ReceiveBudget): number {
    let entry = this.#entries.get(budget);
    if (entry === undefined) {
      const index = this.#free.pop();
      assert(index !== undefined, `at most ${BUDGET_CAPACITY} receive budgets are in use at one time`);
      entry = { index, users: 0, usedBytes: 0 };
      this.#entries.set(budget, entry);
      this.#cells[index * BUDGET_FIELDS + 1] = 0;
      this.#cells[index * BUDGET_FIELDS + 2] = budget.first === true ? 1 : 0;
      this.#update(budget, entry);
    }
    entry.users++;
    return entry.index;
  }

  /** Index of a budget that is in use. */
  indexOf(budget: ReceiveBudget): number {
    const entry = this.#entries.get(budget);
    assert(entry !== undefined, 'the budget is in use');
    return entry.index;
  }

  release(budget: ReceiveBudget): void {
    const entry = this.#entries.get(budget);
    assert(entry !== undefined, 'a budget is released as often as it was acquired');
    this.#update(budget, entry);
    if (--entry.users > 0) return;
    budget.usedBytes -= entry.usedBytes;
    this.#entries.delete(budget);
    this.#free.push(entry.index);
  }

  /** Carries the counts of the native side over, and tells it what others have taken. */
  update(): void {
    for (const [budget, entry] of this.#entries) this.#update(budget, entry);
  }

  #update(budget: ReceiveBudget, entry: Entry): void {
    const usedBytes = this.#cells[entry.index * BUDGET_FIELDS + 1] as number;
    budget.usedBytes += usedBytes - entry.usedBytes;
    entry.usedBytes = usedBytes;
    this.#cells[entry.index * BUDGET_FIELDS] = budget.maxBytes - (budget.usedBytes - usedBytes);
  }
}
