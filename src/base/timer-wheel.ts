/**
 * Many deadlines over one clock timer: a hierarchical timing wheel (Varghese and Lauck, 1987) with intrusive entries,
 * so that setting and cancelling a deadline allocates nothing and costs a few nanoseconds.
 *
 * Time is cut into ticks of 1 ms. Level `L` has 64 slots of `64^L` ticks each; five levels reach 12 days, and what lies
 * further waits in the last slot and is placed again when that comes up. Invariant: every timer whose tick is at or
 * below `#current` has fired; a timer of level L lies 1 to 64 slots of that level ahead of `#current`, so each slot holds
 * timers of one revolution only. A slot of a higher level is emptied into lower ones just before its first tick.
 */

const SLOT_BITS = 6;
const SLOTS = 1 << SLOT_BITS;
const LEVELS = 5;
const MAX_DELTA_TICKS = 2 ** (SLOT_BITS * LEVELS);

/** The part of the clock port that the wheel uses. */
export interface WheelClock {
  monotonicMs(): number;
  schedule(deadlineMs: number, callback: () => void): object;
  cancel(handle: object): void;
}

/**
 * One deadline. Extend it with what has to be known when it passes; one object may be scheduled again and again, but
 * in one wheel at a time.
 */
export abstract class Timer {
  /** Neighbours in the slot's list; the wheel's. */
  nextTimer: Timer | null = null;
  previousTimer: Timer | null = null;
  /** `level * 64 + index`, -1 while not scheduled; the wheel's. */
  slot = -1;
  /** First tick at which it may fire; the wheel's. */
  tick = 0;

  /** True from `schedule` until it fires or is cancelled. */
  get scheduled(): boolean {
    return this.slot >= 0;
  }

  /** Called once when the deadline has passed, never before it; it is no longer scheduled then. Must not throw. */
  abstract onDeadline(): void;
}

/** A timer that calls a function: for the few long-lived ones. */
export class CallbackTimer extends Timer {
  readonly #callback: () => void;

  constructor(callback: () => void) {
    super();
    this.#callback = callback;
  }

  override onDeadline(): void {
    this.#callback();
  }
}

/** The wheel. All calls back come from the clock's callback, never from inside `schedule`. */
export class TimerWheel {
  readonly #clock: WheelClock;
  readonly #heads: (Timer | null)[] = emptySlots();
  readonly #tails: (Timer | null)[] = emptySlots();
  /** Bit i of word `2 * level + (i >> 5)`: slot i of that level is not empty. */
  readonly #occupied = new Int32Array(LEVELS * 2);
  readonly #onClock = (): void => this.#fireDue();
  #current: number;
  #count = 0;
  #firing = false;
  #handle: object | null = null;
  #armedTick = Number.POSITIVE_INFINITY;

  constructor(clock: WheelClock) {
    this.#clock = clock;
    this.#current = Math.floor(clock.monotonicMs());
  }

  /** Timers scheduled now. */
  get size(): number {
    return this.#count;
  }

  /**
   * Has `timer.onDeadline` called once the clock's `monotonicMs` has reached `deadlineMs`; a deadline in the past fires
   * at the next occasion. A scheduled timer is moved.
   */
  schedule(timer: Timer, deadlineMs: number): void {
    if (timer.slot >= 0) this.#unlink(timer);
    else this.#count++;
    timer.tick = Math.ceil(deadlineMs);
    if (!this.#firing) this.#catchUp();
    const wakeTick = this.#place(timer);
    if (wakeTick < this.#armedTick && !this.#firing) this.#arm(wakeTick);
  }

  /** Takes a timer out; nothing happens when it is not scheduled. */
  cancel(timer: Timer): void {
    if (timer.slot < 0) return;
    this.#unlink(timer);
    this.#count--;
  }

  /** A wheel with nothing due has stood still: brings it to now, so that near deadlines are placed near. */
  #catchUp(): void {
    const nowTick = Math.floor(this.#clock.monotonicMs());
    if (nowTick > this.#current && nowTick < this.#armedTick) this.#current = nowTick;
  }

  /** Forgets all timers and lets go of the clock: nothing fires any more. Scheduling begins anew. */
  close(): void {
    for (const head of this.#heads) {
      for (let timer = head; timer !== null; ) {
        const next: Timer | null = timer.nextTimer;
        this.cancel(timer);
        timer = next;
      }
    }
    this.#arm(Number.POSITIVE_INFINITY);
  }

  /** Puts a timer into its slot and returns the tick at which the wheel has to look at that slot. */
  #place(timer: Timer): number {
    const current = this.#current;
    const tick = Math.min(Math.max(timer.tick, current + 1), current + MAX_DELTA_TICKS);
    let level = 0;
    let width = 1;
    while (tick - current > width * SLOTS) {
      level++;
      width *= SLOTS;
    }
    const block = Math.floor(tick / width);
    const index = block % SLOTS;
    const slot = level * SLOTS + index;
    const tail = this.#tails[slot] ?? null;
    timer.slot = slot;
    timer.previousTimer = tail;
    timer.nextTimer = null;
    if (tail === null) this.#heads[slot] = timer;
    else tail.nextTimer = timer;
    this.#tails[slot] = timer;
    const word = level * 2 + (index >> 5);
    this.#occupied[word] = (this.#occupied[word] as number) | (1 << (index & 31));
    return block * width;
  }

  #unlink(timer: Timer): void {
    const { slot, previousTimer, nextTimer } = timer;
    if (previousTimer === null) this.#heads[slot] = nextTimer;
    else previousTimer.nextTimer = nextTimer;
    if (nextTimer === null) this.#tails[slot] = previousTimer;
    else nextTimer.previousTimer = previousTimer;
    if (this.#heads[slot] === null) this.#clearOccupied(slot);
    timer.slot = -1;
    timer.previousTimer = null;
    timer.nextTimer = null;
  }

  #clearOccupied(slot: number): void {
    const word = slot >> 5;
    this.#occupied[word] = (this.#occupied[word] as number) & ~(1 << (slot & 31));
  }

  #fireDue(): void {
    this.#handle = null;
    this.#armedTick = Number.POSITIVE_INFINITY;
    const nowTick = Math.floor(this.#clock.monotonicMs());
    this.#firing = true;
    try {
      for (let next = this.#nextSlot(); next.tick <= nowTick; next = this.#nextSlot()) {
        if (next.slot < SLOTS) this.#fireSlot(next.slot, next.tick);
        else this.#cascade(next.slot, next.tick);
      }
      this.#current = Math.max(this.#current, nowTick);
    } finally {
      this.#firing = false;
      const { tick } = this.#nextSlot();
      if (tick < this.#armedTick) this.#arm(tick);
    }
  }

  #fireSlot(slot: number, tick: number): void {
    this.#current = tick;
    // What a callback schedules now goes to a later tick, at most one revolution ahead: bound the loop by the tick.
    for (let timer = this.#heads[slot]; timer && timer.tick <= tick; timer = this.#heads[slot]) {
      this.cancel(timer);
      timer.onDeadline();
    }
  }

  #cascade(slot: number, tick: number): void {
    this.#current = tick - 1;
    let timer = this.#heads[slot] ?? null;
    this.#heads[slot] = null;
    this.#tails[slot] = null;
    this.#clearOccupied(slot);
    while (timer !== null) {
      const next: Timer | null = timer.nextTimer;
      this.#place(timer);
      timer = next;
    }
  }

  readonly #found = { slot: -1, tick: 0 };

  /** The occupied slot that comes up first and its first tick (infinity when there is none); of several, the highest level. */
  #nextSlot(): { slot: number; tick: number } {
    const found = this.#found;
    found.slot = -1;
    found.tick = Number.POSITIVE_INFINITY;
    let width = 1;
    for (let level = 0; level < LEVELS; level++) {
      const block = Math.floor(this.#current / width);
      const distance = this.#distance(level, block % SLOTS);
      if (distance > 0) {
        const tick = (block + distance) * width;
        if (tick <= found.tick) {
          found.tick = tick;
          found.slot = level * SLOTS + ((block + distance) % SLOTS);
        }
      }
      width *= SLOTS;
    }
    return found;
  }

  /** Slots from `index` (exclusive) to the next occupied one, 1..64; 0 when the level is empty. */
  #distance(level: number, index: number): number {
    const low = this.#occupied[level * 2] as number;
    const high = this.#occupied[level * 2 + 1] as number;
    if ((low | high) === 0) return 0;
    const after = nextBit(low, high, index + 1);
    if (after < SLOTS) return after - index;
    return nextBit(low, high, 0) + SLOTS - index;
  }

  #arm(tick: number): void {
    if (this.#handle !== null) this.#clock.cancel(this.#handle);
    this.#handle = null;
    this.#armedTick = tick;
    if (tick < Number.POSITIVE_INFINITY) this.#handle = this.#clock.schedule(tick, this.#onClock);
  }
}

/** Index of the first set bit at or above `from` in a 64-bit set; 64 when there is none. */
function nextBit(low: number, high: number, from: number): number {
  if (from < 32) {
    const bits = low & (-1 << from);
    if (bits !== 0) return lowestBit(bits);
    return high === 0 ? SLOTS : 32 + lowestBit(high);
  }
  if (from >= SLOTS) return SLOTS;
  const bits = high & (-1 << (from - 32));
  return bits === 0 ? SLOTS : 32 + lowestBit(bits);
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function emptySlots(): (Timer | null)[] {
  return Array.from({ length: LEVELS * SLOTS }, () => null);
}
