import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../sim/virtual/clock.ts';
import { SSD_LATENCY, VirtualDisk } from '../../sim/virtual/disk.ts';
import { Random } from '../base/random.ts';
import type { DiskError } from '../io/disk.ts';
import { EntryTable, type IndexOwner } from './entry-table.ts';
import { IndexMemory } from './index-memory.ts';
import { LogHarness, readAll } from './log-harness.test.ts';

const ENTRY_BYTES = 8;
/** What a table keeps whatever is asked of it: room for 16 entries. */
const LEAST_TAIL_BYTES = 16 * ENTRY_BYTES;

class CountingOwner implements IndexOwner {
  running = 0;
  failures = 0;

  spillBegan(): void {
    this.running++;
  }

  spillEnded(error: DiskError | null): void {
    this.running--;
    assert.ok(this.running >= 0);
    if (error !== null) this.failures++;
  }
}

/** A table beside an array of what it should hold. */
class ModelTable {
  readonly table: EntryTable;
  readonly owner = new CountingOwner();
  model: number[] = [];

  constructor(disk: VirtualDisk, path: string, memory: IndexMemory) {
    this.table = EntryTable.create(disk, path, ENTRY_BYTES);
    this.table.attach(memory, this.owner);
  }

  grow(value: number): void {
    const at = this.table.grow();
    this.table.bytes().writeInt32BE(value, at);
    this.table.bytes().writeInt32BE(~value, at + 4);
    this.model.push(value);
  }

  cut(count: number): void {
    this.table.cut(count);
    this.model.length = Math.min(count, this.model.length);
  }

  check(i: number): void {
    const at = this.table.locate(i);
    assert.equal(this.table.bytes().readInt32BE(at), this.model[i]);
    assert.equal(this.table.bytes().readInt32BE(at + 4), ~(this.model[i] as number));
  }

  checkAll(): void {
    assert.equal(this.table.count, this.model.length);
    for (let i = 0; i < this.model.length; i++) this.check(i);
  }
}

/** One random history of some tables with little memory, on a disk that is slow and sometimes refuses. */
class History {
  readonly random: Random;
  readonly clock = new VirtualClock();
  readonly memory: IndexMemory;
  readonly disk: VirtualDisk;
  readonly tables: ModelTable[];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.memory = new IndexMemory(this.random.pick([0, 4000, 20_000]));
    const latency = { ...SSD_LATENCY, inlineAppends: 0.5 };
    this.disk = new VirtualDisk({ clock: this.clock, random: this.random.fork(), latency });
    this.tables = [0, 1, 2, 3].map((i) => new ModelTable(this.disk, `/x${i}`, this.memory));
  }

  step(): void {
    const { random } = this;
    const one = random.pick(this.tables);
    const roll = random.below(20);
    if (roll < 10) for (let n = random.pick([1, 20, 700]); n > 0; n--) one.grow(random.below(1e9));
    else if (roll < 12) one.cut(random.below(one.model.length + 1));
    else if (roll < 13) one.table.persist(() => {});
    else if (roll < 14) one.table.release();
    else if (roll < 15) one.table.holdLast();
    else if (roll < 16) this.disk.faults.add({ operation: ['append', 'cut'], code: 'ENOSPC', times: 1 });
    else if (roll < 17) this.clock.runFor(1);
    else if (one.model.length > 0) one.check(random.below(one.model.length));
  }

  settle(): void {
    this.disk.faults.clear();
    this.clock.runFor(100);
    for (const { table } of this.tables) {
      let written = false;
      table.persist((error) => {
        assert.equal(error, null);
        written = true;
      });
      assert.ok(this.clock.runUntilTrue(() => written));
    }
  }
}

test('tables that give their memory back while they grow, are cut, written and refused hold what was put into them', () => {
  let failures = 0;
  for (let seed = 0; seed < 200; seed++) {
    const history = new History(seed);
    for (let i = 0; i < 120; i++) history.step();
    for (const one of history.tables) one.checkAll();
    history.settle();
    for (const [i, one] of history.tables.entries()) {
      one.checkAll();
      assert.equal(one.owner.running, 0, 'what began has ended');
      failures += one.owner.failures;
      const bytes = history.disk.readFile(`/x${i}`);
      const found = Array.from({ length: bytes.length / ENTRY_BYTES }, (_, n) =>
        bytes.readInt32BE(n * ENTRY_BYTES),
      );
      assert.deepEqual(found, one.model, `seed ${seed}`);
      one.table.close();
    }
    assert.equal(history.memory.heldBytes, 0, 'nothing is counted twice or never');
    assert.equal(history.memory.leavingBytes, 0);
  }
  assert.ok(failures > 100, 'writes were refused');
});

test('what tables hold stays within the maximum, however many grow, the largest tails first', () => {
  const memory = new IndexMemory(100_000);
  const disk = new VirtualDisk();
  const random = new Random(5);
  const tables = Array.from({ length: 200 }, (_, i) => new ModelTable(disk, `/x${i}`, memory));
  let most = 0;
  for (let i = 0; i < 200_000; i++) {
    // Some grow faster than others.
    const one = tables[Math.min(random.below(200), random.below(200))] as ModelTable;
    one.grow(i);
    if (i % 5 === 0) one.check(random.below(one.model.length));
    most = Math.max(most, memory.heldBytes);
  }
  assert.ok(most > 90_000, 'the memory that there is is used');
  assert.ok(most <= 100_000, `${most} bytes`);
  for (const one of tables) one.checkAll();
});

test('a single table gives back what it holds beyond its own bound', () => {
  const memory = new IndexMemory();
  const one = new ModelTable(new VirtualDisk(), '/x', memory);
  let most = 0;
  for (let i = 0; i < 100_000; i++) {
    one.grow(i);
    most = Math.max(most, memory.heldBytes);
  }
  assert.ok(most <= 1024 * ENTRY_BYTES, `${most} bytes`);
  assert.ok(memory.heldBytes >= LEAST_TAIL_BYTES);
  one.checkAll();
});

test('an entry can be added after a disk that does not answer reads any more', () => {
  const disk = new VirtualDisk();
  const one = new ModelTable(disk, '/x', new IndexMemory(0));
  for (let i = 0; i < 17; i++) one.grow(i);
  disk.faults.add({ operation: ['read', 'open'] });
  one.check(16);
  one.grow(17);
  one.check(16);
  one.check(17);
});

test('the indexes of many logs with many entries stay within one maximum, and find every record', () => {
  const harness = new LogHarness({ config: { indexIntervalBytes: 0, segmentBytes: 40_000 } });
  const maxIndexBytes = 100_000;
  harness.managerOptions = { maxIndexBytes };
  harness.open();
  const logs = Array.from({ length: 150 }, (_, i) => harness.log('t', i));
  const memory = harness.manager?.indexMemory;
  assert.ok(memory !== undefined);
  let most = 0;
  let entries = 0;
  for (let round = 0; round < 120; round++) {
    for (const log of logs) {
      harness.clock.runFor(1);
      log.append(harness.request(harness.batch(1)), (outcome) => assert.equal(outcome.errorCode, 0));
      most = Math.max(most, memory.heldBytes - memory.leavingBytes);
    }
  }
  for (const log of logs) {
    harness.whenIdle(log);
    for (const segment of log.segments) entries += segment.offsetIndex.count + segment.timeIndex.count;
    assert.equal(readAll(log).length, 120);
  }
  assert.ok(entries * 10 > 3 * maxIndexBytes, 'all of it would not have room');
  assert.ok(most <= maxIndexBytes, `${most} bytes`);
  harness.close();
  harness.open();
  for (let i = 0; i < 150; i++) assert.equal(readAll(harness.log('t', i)).length, 120);
});

test('the indexes of a log that took the place of another are written where it lies now', () => {
  const harness = new LogHarness({ paths: ['/a', '/b'], config: { indexIntervalBytes: 0 } }).open();
  const { manager, directories } = harness;
  assert.ok(manager !== null);
  const log = harness.log();
  const other = directories.find((directory) => directory !== log.directory);
  assert.ok(other !== undefined);
  const future = manager.createFuture(log, other, 0);
  for (const one of [log, future]) {
    harness.whenIdle(one);
    harness.flush(one);
  }
  let moved = false;
  manager.replaceByFuture(log, future, (error) => {
    assert.equal(error, null);
    moved = true;
  });
  assert.ok(harness.clock.runUntilTrue(() => moved));
  for (let i = 0; i < 5; i++) harness.produce(future, harness.batch(1));
  harness.flush(future);
  assert.equal(harness.disk.readFile(`${other.path}/t-0/${'0'.repeat(20)}.index`).length, 4 * ENTRY_BYTES);
});
