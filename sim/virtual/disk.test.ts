import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Random } from '../../src/base/random.ts';
import { VirtualClock } from './clock.ts';
import { SSD_LATENCY, VirtualDisk, type VirtualDiskOptions } from './disk.ts';

function slowDisk(
  seed: number,
  options: VirtualDiskOptions = {},
): { clock: VirtualClock; disk: VirtualDisk } {
  const clock = new VirtualClock();
  return {
    clock,
    disk: new VirtualDisk({ clock, random: new Random(seed), latency: SSD_LATENCY, ...options }),
  };
}

test('what was flushed survives every crash, and what was not is lost, kept or torn at a sector', () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const disk = new VirtualDisk({ random: new Random(seed), entryLoss: 0 });
    const file = disk.open('/f', 'create');
    const durable = new Random(seed).bytes(1000);
    file.append([durable], () => {});
    file.flush((error) => assert.equal(error, null));
    const later = new Random(seed + 1).bytes(20_000);
    file.append([later.subarray(0, 5000)], () => {});
    file.append([later.subarray(5000)], () => {});
    disk.crash();
    const survived = disk.readFile('/f');
    assert.deepEqual(survived.subarray(0, 1000), durable);
    const tail = survived.subarray(1000);
    assert.ok(tail.length <= later.length);
    if (tail.equals(later)) outcomes.add('all');
    else if (tail.length === 0) outcomes.add('nothing');
    else if (tail.equals(later.subarray(0, tail.length))) outcomes.add('prefix');
    else outcomes.add('holes');
    for (let at = 1024; at < survived.length; at += 512) {
      const sector = survived.subarray(at, at + 512);
      const kept = later.subarray(at - 1000, at - 1000 + sector.length);
      // The append boundary at byte 6000 lies inside a sector, whose two parts are changes of their own.
      const torn = at < 6000 && at + 512 > 6000;
      assert.ok(
        torn || sector.equals(kept) || sector.every((byte) => byte === 0),
        `seed ${seed}, sector at ${at}`,
      );
    }
  }
  assert.deepEqual([...outcomes].sort(), ['all', 'holes', 'nothing', 'prefix']);
});

test('any history of writes, cuts and flushes ends in a crash that respects the last flush', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), lengthBytes: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ kind: fc.constant('truncate' as const), lengthBytes: fc.nat(4000) }),
    fc.record({ kind: fc.constant('write' as const), lengthBytes: fc.nat(500) }),
    fc.record({ kind: fc.constant('flush' as const), lengthBytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.nat(), (steps, seed) => {
      const disk = new VirtualDisk({ random: new Random(seed), entryLoss: 0 });
      const file = disk.open('/f', 'create');
      let durable: Buffer = Buffer.alloc(0);
      let clean = true;
      let fill = 1;
      for (const { kind, lengthBytes } of steps) {
        clean = kind === 'flush';
        if (kind === 'append') file.append([Buffer.alloc(lengthBytes, fill++)], () => {});
        else if (kind === 'truncate') file.truncate(lengthBytes);
        else if (kind === 'write') file.write(0, Buffer.alloc(Math.min(lengthBytes, file.sizeBytes), fill++));
        else file.flush(() => (durable = disk.readFile('/f')));
      }
      const before = disk.readFile('/f');
      disk.crash();
      const after = disk.readFile('/f');
      if (clean || steps.length === 0) assert.deepEqual(after, durable);
      const known = new Set([0, ...before, ...durable]);
      for (let i = 1; i < fill; i++) known.add(i);
      assert.ok(after.every((byte) => known.has(byte)));
      disk.crash();
      assert.deepEqual(disk.readFile('/f'), after, 'what a crash left is durable');
    }),
  );
});

test('directory changes are lost from some point on unless the directory was flushed', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = new VirtualDisk({ random: new Random(seed) });
    disk.makeDirectory('/d');
    disk.flushDirectory('/', () => {});
    disk.open('/d/a', 'create').close();
    disk.flushDirectory('/d', () => {});
    disk.open('/d/b', 'create').close();
    disk.rename('/d/a', '/d/c');
    disk.crash();
    seen.add(
      disk
        .list('/d')
        .map((entry) => entry.name)
        .join(),
    );
  }
  assert.deepEqual([...seen].sort(), ['a', 'a,b', 'b,c']);
});

test('a rename between two directories is there whole or not at all', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = new VirtualDisk({ random: new Random(seed) });
    for (const path of ['/x', '/y']) disk.makeDirectory(path);
    disk.flushDirectory('/', () => {});
    disk.open('/x/f', 'create').close();
    disk.flushDirectory('/x', () => {});
    disk.open('/y/other', 'create').close();
    disk.rename('/x/f', '/y/f');
    disk.flushDirectory(seed % 2 === 0 ? '/x' : '/y', () => {});
    disk.crash();
    seen.add(`${disk.exists('/x/f')},${disk.exists('/y/f')},${disk.exists('/y/other')}`);
  }
  assert.deepEqual([...seen], ['false,true,true'], 'the flush of either directory makes it durable');
});

test('a replaced file is the old or the new one, never a mixture', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const { clock, disk } = slowDisk(seed);
    const confirmations: string[] = [];
    const replace = (content: string): void =>
      disk.replaceFile('/f', Buffer.from(content), () => confirmations.push(content));
    replace('old');
    clock.runUntilIdle();
    assert.deepEqual(confirmations, ['old']);
    replace('the new content');
    clock.runFor(new Random(seed).between(0, 12));
    const acknowledged = confirmations.length > 1;
    disk.crash();
    clock.runUntilIdle();
    assert.equal(confirmations.length, acknowledged ? 2 : 1, 'no callback comes after a crash');
    const content = disk.readFile('/f').toString();
    assert.ok(content === 'the new content' || (content === 'old' && !acknowledged), content);
    seen.add(content);
  }
  assert.equal(seen.size, 2);
});

test('the death of the process alone loses nothing that was written, and frees locks', () => {
  const disk = new VirtualDisk();
  disk.lock('/.lock');
  assert.throws(() => disk.lock('/.lock'), { code: 'ELOCKED' });
  const file = disk.open('/f', 'create');
  file.append([Buffer.from('written')], () => {});
  disk.crash('process');
  assert.equal(disk.readFile('/f').toString(), 'written');
  assert.throws(() => file.flush(() => {}), /before the crash/);
  disk.lock('/.lock').release();
});

test('the same seed gives the same completions at the same times, and the same losses', () => {
  const run = (seed: number): unknown[] => {
    const { clock, disk } = slowDisk(seed, { shortWrites: 0.3 });
    const log: unknown[] = [];
    const files = ['/a', '/b'].map((path) => disk.open(path, 'create'));
    const random = new Random(seed);
    for (let i = 0; i < 50; i++) {
      const file = random.pick(files);
      if (random.chance(0.2)) file.flush(() => log.push(['flush', i, clock.monotonicMs()]));
      else
        file.append([random.bytes(random.between(1, 3000))], () =>
          log.push(['append', i, clock.monotonicMs()]),
        );
      clock.runFor(random.between(0, 1));
    }
    disk.crash();
    return [...log, disk.exists('/a') && disk.readFile('/a'), disk.exists('/b') && disk.readFile('/b')];
  };
  for (let seed = 0; seed < 20; seed++) assert.deepEqual(run(seed), run(seed));
  assert.notDeepEqual(run(1), run(2));
});

test('a failed flush leaves everything at the mercy of the crash, and is not tried again', () => {
  const disk = new VirtualDisk();
  const file = disk.open('/f', 'create');
  file.append([Buffer.alloc(100)], () => {});
  disk.faults.add({ operation: 'flush', times: 1 });
  const codes: (string | undefined)[] = [];
  file.flush((error) => codes.push(error?.code));
  file.flush((error) => codes.push(error?.code));
  assert.deepEqual(codes, ['EIO', 'EIO']);
  assert.ok(file.node.content.unsynced);
});
