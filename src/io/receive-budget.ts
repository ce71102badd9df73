import type { ReceiveBudget } from './network.ts';

/** A connection as its budget sees it. */
export interface BudgetUser {
  /** True while it could use more bytes: it has credits and is open. */
  readonly wantsBytes: boolean;
  /** Reading may go on. */
  resumeReading(): void;
}

/**
 * Holds the connections of one network to a `ReceiveBudget`: past it they stop reading, in the order they came, until bytes are consumed. One of them, the *favoured* one, may read on until it
 * holds nothing, so that there is always progress.
 */
export class BudgetGate {
  readonly #budget: ReceiveBudget;
  readonly #heldBytes = new Map<BudgetUser, number>();
  readonly #waiting = new Set<BudgetUser>();
  #favoured: BudgetUser | null = null;

  constructor(budget: ReceiveBudget) {
    this.#budget = budget;
  }

  /** Says how many bytes a connection holds now. */
  hold(user: BudgetUser, heldBytes: number): void {
    const before = this.#heldBytes.get(user) ?? 0;
    if (before === heldBytes) return;
    this.#budget.usedBytes += heldBytes - before;
    if (heldBytes > 0) this.#heldBytes.set(user, heldBytes);
    else this.#heldBytes.delete(user);
    if (heldBytes === 0 && this.#favoured === user) this.#favoured = null;
    if (heldBytes < before) this.#wake();
  }

  /** Whether a connection may read on; if not, it is resumed when it may. */
  mayRead(user: BudgetUser): boolean {
    if (this.#budget.usedBytes <= this.#budget.maxBytes || this.#favoured === user) return true;
    if (this.#favoured === null || !this.#favoured.wantsBytes) {
      this.#favoured = user;
      return true;
    }
    this.#waiting.add(user);
    return false;
  }

  /** A connection cannot use bytes just now (no credits), or is gone (then it holds 0 too). */
  leave(user: BudgetUser): void {
    this.#waiting.delete(user);
    if (this.#favoured === user) this.#favoured = null;
    this.#wake();
  }

  #wake(): void {
    for (const user of this.#waiting) {
      const room = this.#budget.usedBytes <= this.#budget.maxBytes;
      if (!room && this.#favoured !== null && this.#favoured.wantsBytes) return;
      this.#waiting.delete(user);
      if (!room) this.#favoured = user;
      user.resumeReading();
    }
  }
}
