import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../sim/virtual/clock.ts';
import { SSD_LATENCY, VirtualDisk } from '../../sim/virtual/disk.ts';
import { Random } from '../base/random.ts';
import { EntryTable } from './entry-table.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';

const increments = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9000 })), {
  maxLength: 1500,
});

/** Both ways an index is held: in memory, and in its file. */
function bothWays(disk: VirtualDisk, index: OffsetIndex): OffsetIndex[] {
  index.table.persist((error) => assert.equal(error, null));
  const reopened = OffsetIndex.open(
    disk,
    index.table.path,
    index.baseOffset,
    disk.readFile(index.table.path).length,
  );
  assert.ok(reopened !== null);
  return [index, reopened];
}

test('an offset index finds what a walk over its entries finds', () => {
  fc.assert(
    fc.property(increments, fc.array(fc.nat(80_000), { maxLength: 20 }), (steps, targets) => {
      const disk = new VirtualDisk();
      const built = OffsetIndex.create(disk, '/i', 100);
      let offset = 100;
      let position = 0;
      const entries = steps.map(([records, bytes]) => {
        offset += records;
        position += bytes;
        built.append(offset, position);
        return { offset, position };
      });
      for (const index of bothWays(disk, built)) {
        for (const target of targets) {
          const floor = entries.findLastIndex((entry) => entry.offset <= target);
          assert.equal(index.floorOfOffset(target), floor);
          if (floor >= 0)
            assert.equal(index.positionAt(index.floorOfOffset(target)), entries[floor]?.position);
          const below = entries.findLast((entry) => entry.position <= target * 100);
          assert.equal(index.floorOfPosition(target * 100), below?.position ?? 0);
        }
        const cut = targets[0] ?? 0;
        index.truncateTo(cut);
        assert.equal(index.count, entries.filter((entry) => entry.offset < cut).length);
      }
    }),
    { numRuns: 60 },
  );
});

test('a time index finds what a walk over its entries finds', () => {
  fc.assert(
    fc.property(increments, fc.array(fc.nat(14_000_000), { maxLength: 20 }), (steps, targets) => {
      const index = TimeIndex.create(new VirtualDisk(), '/t', 0);
      let timestamp = 0;
      let offset = 0;
      const entries = steps.map(([records, ms]) => {
        offset += records;
        timestamp += ms;
        index.maybeAppend(0, timestamp, offset);
        index.maybeAppend(0, timestamp, offset + 1);
        return { timestamp, offset };
      });
      assert.equal(index.count, entries.length);
      for (const target of targets) {
        assert.equal(
          index.lastBelow(target),
          entries.findLastIndex((entry) => entry.timestamp < target),
        );
      }
      const cut = targets[0] ?? 0;
      index.truncateTo(cut);
      assert.equal(index.count, entries.filter((entry) => entry.offset < cut).length);
    }),
    { numRuns: 60 },
  );
});

test('timestamps past 2^53 are told apart in the index', () => {
  const index = TimeIndex.create(new VirtualDisk(), '/t', 0);
  index.maybeAppend(0x7fffffff, 0xfffffff0, 5);
  index.maybeAppend(0x7fffffff, 0xfffffff0, 6);
  index.maybeAppend(0x7fffffff, 0xfffffff1, 7);
  assert.equal(index.count, 2);
  assert.equal(index.lowAt(1), 0xfffffff1);
});

test('records without timestamp make no time index entry', () => {
  const index = TimeIndex.create(new VirtualDisk(), '/t', 0);
  index.maybeAppend(-1, 0xffffffff, 5);
  assert.equal(index.count, 0);
});

test('an index file of a wrong size or before its base is not trusted', () => {
  const disk = new VirtualDisk();
  disk.replaceFile('/i', Buffer.alloc(12), () => {});
  assert.equal(OffsetIndex.open(disk, '/i', 5, 12), null);
  disk.replaceFile('/t', Buffer.alloc(13), () => {});
  assert.equal(TimeIndex.open(disk, '/t', 5, 13), null);
  const negative = Buffer.alloc(8);
  negative.writeInt32BE(-3);
  disk.replaceFile('/n', negative, () => {});
  assert.equal(OffsetIndex.open(disk, '/n', 5, 8), null);
});

test('an index is full when its file would be', () => {
  const disk = new VirtualDisk();
  const offsets = OffsetIndex.create(disk, '/i', 0);
  const times = TimeIndex.create(disk, '/t', 0);
  offsets.append(1, 10);
  times.maybeAppend(0, 7, 1);
  assert.ok(!offsets.isFull(16) && offsets.isFull(15));
  assert.ok(!times.isFull(36) && times.isFull(35));
});

test('whatever grows, is cut and written in whatever order ends up in the file', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const clock = new VirtualClock();
    const disk = new VirtualDisk({
      clock,
      random: random.fork(),
      latency: { ...SSD_LATENCY, inlineAppends: 0.3 },
    });
    const table = EntryTable.create(disk, '/x', 4);
    let model: number[] = [];
    for (let i = 0; i < 40; i++) {
      const roll = random.below(10);
      if (roll < 6) {
        const at = table.grow();
        table.bytes().writeInt32BE(i, at);
        model.push(i);
      } else if (roll < 7) {
        const count = random.below(model.length + 1);
        table.cut(count);
        model = model.slice(0, count);
      } else if (roll < 9) {
        table.persist((error) => assert.equal(error, null));
      } else {
        clock.runFor(1);
      }
    }
    let written = false;
    table.persist((error) => {
      assert.equal(error, null);
      written = true;
    });
    assert.ok(clock.runUntilTrue(() => written));
    const bytes = disk.readFile('/x');
    assert.deepEqual(
      Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32BE(i * 4)),
      model,
      `seed ${seed}`,
    );
  }
});
