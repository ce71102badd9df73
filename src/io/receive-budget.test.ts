import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BudgetGate, type BudgetUser } from './receive-budget.ts';

const FRAME_BYTES = 100;

/** A connection that reads ten bytes at a time as long as it may; a whole frame is consumed. */
class Reader implements BudgetUser {
  wantsBytes = true;
  heldBytes = 0;
  frames = 0;
  reading = true;
  readonly #gate: BudgetGate;

  constructor(gate: BudgetGate) {
    this.#gate = gate;
  }

  read(): void {
    this.heldBytes += 10;
    if (this.heldBytes === FRAME_BYTES) {
      this.heldBytes = 0;
      this.frames++;
    }
    this.#gate.hold(this, this.heldBytes);
    this.reading = this.wantsBytes && this.#gate.mayRead(this);
  }

  mute(muted: boolean): void {
    this.wantsBytes = !muted;
    if (muted) this.#gate.leave(this);
    this.reading = this.wantsBytes && this.#gate.mayRead(this);
  }

  resumeReading(): void {
    this.reading = this.wantsBytes && this.#gate.mayRead(this);
  }
}

test('however connections read and are muted, the budget holds but for one of them, and somebody can always go on', () => {
  const step = fc.record({ who: fc.nat(5), kind: fc.constantFrom('read', 'read', 'read', 'mute', 'unmute') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const budget = { maxBytes: 150, usedBytes: 0 };
      const gate = new BudgetGate(budget);
      const readers = Array.from({ length: 6 }, () => new Reader(gate));
      for (const { who, kind } of steps) {
        const reader = readers[who] as Reader;
        if (kind !== 'read') reader.mute(kind === 'mute');
        else if (reader.reading) reader.read();
        assert.equal(
          budget.usedBytes,
          readers.reduce((sum, one) => sum + one.heldBytes, 0),
        );
        assert.ok(budget.usedBytes <= budget.maxBytes + readers.length * FRAME_BYTES);
        const wanting = readers.filter((one) => one.wantsBytes);
        assert.ok(wanting.length === 0 || wanting.some((one) => one.reading), 'nobody can go on');
      }
      for (const reader of readers) reader.mute(false);
      for (let round = 0; round < 200; round++) for (const one of readers) if (one.reading) one.read();
      for (const reader of readers) assert.ok(reader.frames > 0, 'everybody gets through');
    }),
  );
});
