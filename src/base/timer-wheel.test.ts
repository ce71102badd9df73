import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';
import { Timer, TimerWheel } from './timer-wheel.ts';

/** A clock that stands until it is told to run to a time. */
class ManualClock {
  nowMs = 1000.25;
  #scheduled: { deadlineMs: number; callback: () => void }[] = [];
  wakes = 0;

  monotonicMs(): number {
    return this.nowMs;
  }

  schedule(deadlineMs: number, callback: () => void): object {
    const entry = { deadlineMs, callback };
    this.#scheduled.push(entry);
    return entry;
  }

  cancel(handle: object): void {
    this.#scheduled = this.#scheduled.filter((entry) => entry !== handle);
  }

  get pending(): number {
    return this.#scheduled.length;
  }

  runTo(targetMs: number): void {
    for (;;) {
      this.#scheduled.sort((a, b) => a.deadlineMs - b.deadlineMs);
      const first = this.#scheduled[0];
      if (first === undefined || first.deadlineMs > targetMs) break;
      this.#scheduled.shift();
      this.nowMs = Math.max(this.nowMs, first.deadlineMs);
      this.wakes++;
      first.callback();
    }
    this.nowMs = targetMs;
  }
}

class Probe extends Timer {
  firedAtMs = -1;
  fired = 0;
  deadlineMs = 0;
  readonly clock: ManualClock;
  readonly andThen: (() => void) | undefined;

  constructor(clock: ManualClock, andThen?: () => void) {
    super();
    this.clock = clock;
    this.andThen = andThen;
  }

  override onDeadline(): void {
    this.fired++;
    this.firedAtMs = this.clock.nowMs;
    this.andThen?.();
  }
}

test('a timer fires once, never before its deadline and at most a tick after it', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  for (const delayMs of [0, 0.1, 1, 63, 64, 65, 4095, 4096, 4097, 262144, 262145, 20_000_000]) {
    const probe = new Probe(clock);
    const deadlineMs = clock.nowMs + delayMs;
    wheel.schedule(probe, deadlineMs);
    assert.equal(probe.scheduled, true);
    clock.runTo(deadlineMs - 0.01);
    assert.equal(probe.fired, 0, `early for ${delayMs}`);
    clock.runTo(deadlineMs + 2);
    assert.equal(probe.fired, 1, `late for ${delayMs}`);
    assert.equal(probe.scheduled, false);
    clock.runTo(deadlineMs + 100);
    assert.equal(probe.fired, 1);
  }
  assert.equal(wheel.size, 0);
  assert.equal(clock.pending, 0);
});

test('a deadline beyond the reach of the wheel is kept', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const probe = new Probe(clock);
  const deadlineMs = clock.nowMs + 3 * 2 ** 30 + 12345;
  wheel.schedule(probe, deadlineMs);
  clock.runTo(deadlineMs - 1);
  assert.equal(probe.fired, 0);
  clock.runTo(deadlineMs + 2);
  assert.equal(probe.fired, 1);
});

test('a cancelled timer does not fire, and its neighbours do', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const probes = [0, 1, 2].map(() => new Probe(clock));
  for (const probe of probes) wheel.schedule(probe, clock.nowMs + 10);
  wheel.cancel(probes[1] as Probe);
  wheel.cancel(probes[1] as Probe);
  clock.runTo(clock.nowMs + 20);
  assert.deepEqual(
    probes.map((probe) => probe.fired),
    [1, 0, 1],
  );
});

test('a callback may cancel a timer of its own slot and schedule itself again', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const victim = new Probe(clock);
  let rounds = 0;
  const first: Probe = new Probe(clock, () => {
    wheel.cancel(victim);
    if (++rounds < 3) wheel.schedule(first, clock.nowMs);
  });
  wheel.schedule(first, clock.nowMs + 5);
  wheel.schedule(victim, clock.nowMs + 5);
  clock.runTo(clock.nowMs + 50);
  assert.equal(first.fired, 3);
  assert.equal(victim.fired, 0);
  assert.equal(wheel.size, 0);
});

test('an empty wheel leaves the clock alone', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const probe = new Probe(clock);
  wheel.schedule(probe, clock.nowMs + 10);
  wheel.cancel(probe);
  clock.runTo(clock.nowMs + 1_000_000);
  assert.ok(clock.wakes <= 1);
});

test('a wheel that is closed fires nothing and leaves no timer with the clock', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const probes = [3, 70, 70, 5000].map((delayMs) => {
    const probe = new Probe(clock);
    wheel.schedule(probe, clock.nowMs + delayMs);
    return probe;
  });
  wheel.close();
  assert.equal(wheel.size, 0);
  assert.equal(clock.pending, 0);
  clock.runTo(clock.nowMs + 10_000);
  assert.ok(probes.every((probe) => probe.fired === 0 && !probe.scheduled));
});

test('random timers, moved and cancelled, fire in order of their ticks and on time', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    const live = new Set<Probe>();
    let lastTick = 0;
    const step = (): void => {
      const probe: Probe = new Probe(clock, () => {
        assert.ok(probe.tick >= lastTick, 'order');
        lastTick = probe.tick;
        assert.ok(clock.nowMs >= probe.deadlineMs, 'early');
        assert.ok(clock.nowMs < probe.deadlineMs + 2, `late by ${clock.nowMs - probe.deadlineMs}`);
        live.delete(probe);
      });
      probe.deadlineMs = clock.nowMs + random.below(2 ** random.between(1, 20)) + random.below(100) / 100;
      wheel.schedule(probe, probe.deadlineMs);
      live.add(probe);
    };
    for (let i = 0; i < 500; i++) {
      step();
      if (random.chance(0.3)) {
        const probe = random.pick([...live]);
        probe.deadlineMs = clock.nowMs + 1 + random.below(5000);
        wheel.schedule(probe, probe.deadlineMs);
      }
      if (random.chance(0.2)) {
        const probe = random.pick([...live]);
        wheel.cancel(probe);
        live.delete(probe);
      }
      assert.equal(wheel.size, live.size);
      clock.runTo(clock.nowMs + random.below(200) + 0.5);
    }
    clock.runTo(clock.nowMs + 2 ** 21);
    assert.equal(live.size, 0);
    assert.equal(wheel.size, 0);
  }
});
