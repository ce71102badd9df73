import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../sim/virtual/clock.ts';
import { SSD_LATENCY, VirtualDisk } from '../../sim/virtual/disk.ts';
import { Random } from '../base/random.ts';
import type { DiskError } from '../io/disk.ts';
import { SmallFileWriter } from './small-file-writer.ts';
import { awaitDisk, runSteps, type Steps } from './steps.ts';

function* count(to: number, seen: number[]): Steps<string> {
  for (let i = 0; i < to; i++) {
    seen.push(i);
    yield;
  }
  return 'done';
}

test('work goes on by itself and gives its value, with turns for others between', () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const others: number[] = [];
  let value: string | undefined;
  runSteps(clock, count(1000, seen), (error, result) => {
    assert.equal(error, null);
    value = result;
  });
  clock.defer(() => others.push(seen.length));
  assert.ok(seen.length < 1000);
  clock.runUntilIdle();
  assert.equal(value, 'done');
  assert.equal(seen.length, 1000);
  assert.ok((others[0] ?? 1000) < 1000);
});

test('work stops for the turn when its time is used up', () => {
  const clock = new VirtualClock();
  let nowMs = 0;
  clock.monotonicMs = () => nowMs;
  let steps = 0;
  function* work(): Steps<void> {
    for (; steps < 10; steps++) {
      nowMs += 3;
      yield;
    }
  }
  runSteps(clock, work(), () => {});
  assert.equal(steps, 1);
  clock.step();
  assert.equal(steps, 3);
});

test('waits that are answered at once neither recurse nor lose their place', () => {
  const clock = new VirtualClock();
  const disk = new VirtualDisk({ clock });
  let errors = 0;
  function* work(): Steps<number> {
    for (let i = 0; i < 20_000; i++) {
      if ((yield* awaitDisk((done) => disk.flushDirectory(i % 2 === 0 ? '/' : '/none', done))) !== null)
        errors++;
    }
    return errors;
  }
  let result: number | undefined;
  runSteps(clock, work(), (error, value) => {
    assert.equal(error, null);
    result = value;
  });
  clock.runUntilIdle();
  assert.equal(result, 10_000);
});

test('what the work throws is handed over', () => {
  const failure = new Error('broken');
  // oxlint-disable-next-line require-yield -- it throws before it could
  function* work(): Steps<void> {
    throw failure;
  }
  let thrown: unknown;
  runSteps(new VirtualClock(), work(), (error) => {
    thrown = error;
  });
  assert.equal(thrown, failure);
});

test('a small file ends up with the last content, however often it was saved, and waiters wait for theirs', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new Random(seed);
    const clock = new VirtualClock();
    const disk = new VirtualDisk({
      clock,
      random: random.fork(),
      latency: { ...SSD_LATENCY, inlineAppends: 0 },
    });
    let content = 0;
    const writer = new SmallFileWriter(
      disk,
      () => '/f',
      () => String(content),
    );
    const lift = disk.faults.add({ operation: 'append', code: 'ENOSPC', probability: 0.2 });
    let waiting = 0;
    for (let i = 1; i < 40; i++) {
      const roll = random.below(4);
      if (roll < 2) {
        content = i;
        writer.save();
      } else if (roll === 2) {
        const wanted = content;
        waiting++;
        writer.whenSaved((error) => {
          waiting--;
          if (error === null && wanted > 0) assert.ok(Number(disk.readFile('/f')) >= wanted);
        });
      } else {
        clock.runFor(random.below(10));
      }
    }
    lift();
    clock.runUntilIdle();
    let failure: DiskError | null | undefined;
    writer.whenSaved((error) => {
      failure = error;
    });
    clock.runUntilIdle();
    assert.equal(failure, null);
    assert.equal(waiting, 0);
    assert.equal(disk.readFile('/f').toString(), String(content));
  }
});
