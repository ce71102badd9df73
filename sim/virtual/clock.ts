import { assert } from '../../src/base/assert.ts';
import type { Clock, TimerHandle } from '../../src/io/clock.ts';

/**
 * Virtual time. Every event of a simulation (timers, disk completions, network arrivals) stands in the one queue of this clock and runs in the
 * order of (time, order of scheduling), so that the same calls give the same run. Nothing moves unless somebody steps the clock.
 */
export class VirtualClock implements Clock {
  readonly #startWallMs: number;
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #nextSequence = 1;
  #eventsRun = 0;
  #running = false;

  /** @param options `startWallMs`: the wall clock at virtual time 0; whole milliseconds since the Unix epoch. */
  constructor(options: { startWallMs?: number } = {}) {
    this.#startWallMs = options.startWallMs ?? 1_767_225_600_000;
  }

  /** Events run so far; equal in two runs of the same seed. */
  get eventsRun(): number {
    return this.#eventsRun;
  }

  /** Events waiting, cancelled ones not counted. */
  get pendingEvents(): number {
    return this.#queue.live;
  }

  /** Virtual time of the next event, null when there is none. */
  get nextEventMs(): number | null {
    return this.#queue.first()?.atMs ?? null;
  }

  wallMs(): number {
    return this.#startWallMs + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(deadlineMs: number, callback: () => void): TimerHandle {
    assert(!Number.isNaN(deadlineMs), 'a deadline must be a number');
    return this.#queue.add(Math.max(deadlineMs, this.#nowMs), this.#nextSequence++, callback);
  }

  cancel(handle: TimerHandle): void {
    this.#queue.cancel(handle as Event);
  }

  defer(callback: () => void): void {
    this.#queue.add(this.#nowMs, this.#nextSequence++, callback);
  }

  /** Runs the next event and moves the time to it; false when none waits. What an event throws comes out here. */
  step(): boolean {
    assert(!this.#running, 'an event must not step the clock');
    const event = this.#queue.take();
    if (event === null) return false;
    assert(event.atMs >= this.#nowMs, 'virtual time never goes back');
    this.#nowMs = event.atMs;
    this.#eventsRun++;
    this.#running = true;
    try {
      event.callback();
    } finally {
      this.#running = false;
    }
    return true;
  }

  /** Runs everything due up to and including `timeMs`, then sets the time to it. @returns events run */
  runUntil(timeMs: number): number {
    const before = this.#eventsRun;
    for (let next = this.#queue.first(); next !== null && next.atMs <= timeMs; next = this.#queue.first()) {
      this.step();
    }
    if (Number.isFinite(timeMs)) this.#nowMs = Math.max(this.#nowMs, timeMs);
    return this.#eventsRun - before;
  }

  /** `runUntil` of a time given from now. */
  runFor(durationMs: number): number {
    return this.runUntil(this.#nowMs + durationMs);
  }

  /**
   * Steps until `condition` holds, at most `limitMs` of virtual time; the condition is looked at before each event.
   * @returns whether it holds
   */
  runUntilTrue(condition: () => boolean, limitMs = 60_000): boolean {
    const endMs = this.#nowMs + limitMs;
    while (!condition()) {
      const next = this.#queue.first();
      if (next === null || next.atMs > endMs) return false;
      this.step();
    }
    return true;
  }

  /** Steps until no event waits. For parts without periodic timers; a queue that never empties is an assertion. @returns events run */
  runUntilIdle(maxEvents = 1_000_000): number {
    let run = 0;
    while (this.step()) assert(++run <= maxEvents, 'the event queue does not become idle');
    return run;
  }

  /**
   * Like `runUntilTrue`, for code that also waits on promises: between two events the jobs of resolved promises get their turn. That order is the
   * language's own, so the run stays deterministic; nothing may wait on the outside world meanwhile.
   */
  async driveUntilTrue(condition: () => boolean, limitMs = 60_000): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      for (let round = 0; round < PROMISE_ROUNDS; round++) await Promise.resolve();
      if (condition()) return true;
      const next = this.#queue.first();
      if (next === null || next.atMs > endMs) return false;
      this.step();
    }
  }

  /** `driveUntilTrue` of the settling of `promise`. @returns its value; rejects as it does, or when it is not settled after `limitMs`. */
  async drive<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    const done = await this.driveUntilTrue(() => settled, limitMs);
    assert(done, `a promise did not settle within ${limitMs} ms of virtual time`);
    return promise;
  }

  /** The clock of one host: same time, own wall clock offset, and it can be stopped when the host crashes. */
  forHost(options: { wallOffsetMs?: number } = {}): HostClock {
    return new HostClock(this, options.wallOffsetMs ?? 0);
  }
}

/** How many links of a chain of promises settle between two events. */
const PROMISE_ROUNDS = 8;

/** One host's view of a `VirtualClock`. After `stop()` nothing that was scheduled through it runs any more. */
export class HostClock implements Clock {
  readonly #clock: VirtualClock;
  #wallOffsetMs: number;
  #stopped = false;

  constructor(clock: VirtualClock, wallOffsetMs: number) {
    this.#clock = clock;
    this.#wallOffsetMs = wallOffsetMs;
  }

  wallMs(): number {
    return this.#clock.wallMs() + this.#wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  schedule(deadlineMs: number, callback: () => void): TimerHandle {
    return this.#clock.schedule(deadlineMs, () => {
      if (!this.#stopped) callback();
    });
  }

  cancel(handle: TimerHandle): void {
    this.#clock.cancel(handle);
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (!this.#stopped) callback();
    });
  }

  /** Lets this host's wall clock jump by `deltaMs` (whole). */
  jumpWall(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
  }

  /** The host is gone: what it scheduled and will schedule is dropped. */
  stop(): void {
    this.#stopped = true;
  }
}

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  readonly callback: () => void;
  state: 'waiting' | 'cancelled' | 'done';
}

/** A binary heap by (time, sequence). Cancelled events stay until they come to the top. */
class EventQueue {
  readonly #heap: Event[] = [];
  live = 0;

  add(atMs: number, sequence: number, callback: () => void): Event {
    const event: Event = { atMs, sequence, callback, state: 'waiting' };
    this.#heap.push(event);
    this.#up(this.#heap.length - 1);
    this.live++;
    return event;
  }

  cancel(event: Event): void {
    if (event.state !== 'waiting') return;
    event.state = 'cancelled';
    this.live--;
  }

  first(): Event | null {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return null;
      if (top.state === 'waiting') return top;
      this.#removeTop();
    }
  }

  take(): Event | null {
    const top = this.first();
    if (top === null) return null;
    this.#removeTop();
    top.state = 'done';
    this.live--;
    return top;
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(index: number): void {
    const heap = this.#heap;
    const event = heap[index] as Event;
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #down(index: number): void {
    const heap = this.#heap;
    const event = heap[index] as Event;
    let at = index;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, event)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
