import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSD_LATENCY, type VirtualDiskOptions } from '../../sim/virtual/disk.ts';
import { ErrorCode, errorName } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { AppendOutcome } from './append-request.ts';
import { LogHarness, type ReadRecord, readAll, valuesOf } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';

/**
 * A random history of one log beside a model that is an array of records. What a crash may do to the model: keep a prefix of what was published, at least what was
 * flushed; or, after a cut that was not flushed, of what stood there before it.
 */
class Model {
  readonly harness: LogHarness;
  readonly #random: Random;
  #records: ReadRecord[] = [];
  /** What the records were at earlier moments since the last flush. */
  #former: ReadRecord[][] = [];
  /** Records of the appends that failed since one succeeded. */
  #failed: ReadRecord[] = [];
  #flushed = 0;
  #start = 0;
  #epoch = 0;
  #inFlight = 0;

  constructor(seed: number, disk: VirtualDiskOptions) {
    this.#random = new Random(seed, 77);
    this.harness = new LogHarness({
      seed,
      disk,
      config: {
        segmentBytes: this.#random.between(1800, 6000),
        indexIntervalBytes: this.#random.pick([0, 100, 1000]),
        indexSizeMaxBytes: this.#random.pick([96, 10_000]),
        flushMessages: this.#random.pick([1, 10, 2 ** 63]),
        fileDeleteDelayMs: this.#random.pick([0, 1000]),
        preallocate: this.#random.chance(0.5),
      },
    });
    // Every other history writes its indexes whenever they grow.
    if (seed % 2 === 0) this.harness.managerOptions = { maxIndexBytes: 0 };
    this.harness.open();
  }

  get log(): PartitionLog {
    return this.harness.log();
  }

  step(): void {
    const roll = this.#random.below(100);
    if (roll < 50) this.#append();
    else if (roll < 62) this.#read();
    else if (roll < 68) this.#flush();
    else if (roll < 72) this.#epoch++;
    else if (roll < 76) this.#truncate();
    else if (roll < 78) this.#advanceStart();
    else if (roll < 80) this.#retain();
    else if (roll < 84) this.#fail();
    else if (roll < 90) this.harness.clock.runFor(this.#random.below(20));
    else if (roll < 93) this.#crash('power');
    else if (roll < 96) this.#crash('process');
    else this.#restart();
    if (this.harness.manager !== null) this.log.checkInvariants();
  }

  /** Uncompressed: what goes in is what comes out, byte for byte. */
  #batch(): Buffer {
    const records = this.harness.records(1 + this.#random.below(5), this.#random.pick([0, 10, 60, 300]));
    return this.harness.batch(records);
  }

  #append(): void {
    const corked = this.#random.chance(0.3);
    if (corked) this.harness.manager?.cork();
    for (let count = this.#random.between(1, 4); count > 0; count--) this.#appendOne(false);
    if (corked) this.harness.manager?.uncork();
    if (this.#random.chance(0.5)) this.#settle();
  }

  #appendOne(mayFail: boolean): void {
    const batch = this.#batch();
    const values = valuesOf(batch);
    const epoch = this.#epoch;
    const { log } = this;
    this.#inFlight++;
    log.append(this.harness.request(batch, { leaderEpoch: epoch }), (outcome: AppendOutcome) => {
      this.#inFlight--;
      if (mayFail && outcome.errorCode === ErrorCode.KAFKA_STORAGE_ERROR)
        return this.#noteFailure(values, epoch);
      this.#failed = [];
      assert.equal(errorName(outcome.errorCode), 'NONE', outcome.errorMessage ?? '');
      assert.equal(outcome.baseOffset, this.#records.at(-1) === undefined ? outcome.baseOffset : this.#end);
      for (const [i, value] of values.entries())
        this.#records.push({ offset: outcome.baseOffset + i, value, epoch });
      assert.equal(outcome.endOffset, this.#end);
      assert.ok(log.logEndOffset >= outcome.endOffset, 'told after it was published');
    });
  }

  /** What was written and taken back may come back with a crash that takes back the taking back. */
  #noteFailure(values: readonly string[], epoch: number): void {
    const base = (this.#failed.at(-1) ?? this.#records.at(-1))?.offset ?? -1;
    this.#failed = [...this.#failed, ...values.map((value, i) => ({ offset: base + 1 + i, value, epoch }))];
    this.#former.push([...this.#records, ...this.#failed]);
  }

  get #end(): number {
    const last = this.#records.at(-1);
    return last === undefined ? this.log.logEndOffset : last.offset + 1;
  }

  #settle(): void {
    this.harness.whenIdle(this.log);
    assert.equal(this.#inFlight, 0);
    assert.equal(this.log.logEndOffset, this.#end);
  }

  #visible(): ReadRecord[] {
    return this.#records.filter((record) => record.offset >= this.#start);
  }

  #read(): void {
    this.#settle();
    const { log } = this;
    const from = this.#random.between(log.logStartOffset, log.logEndOffset);
    const to = this.#random.between(from, log.logEndOffset);
    const bound = this.#boundary(to);
    const maxBytes = this.#random.pick([1, 100, 700, 5000, 1 << 20]);
    const expected = this.#visible().filter((record) => record.offset >= from && record.offset < bound);
    assert.deepEqual(readAll(log, from, bound, maxBytes), expected);
  }

  /** A bound such as high watermarks are: where a batch ends. */
  #boundary(offset: number): number {
    const { log } = this;
    const found = log.read(Math.max(offset, log.logStartOffset), {
      maxBytes: 1 << 20,
      upperBoundOffset: log.logEndOffset,
      minOneBatch: true,
    });
    if (found.range === null) return log.logEndOffset;
    const head = Buffer.alloc(8);
    found.range.read(head, 0, 0, 8);
    found.range.release();
    return Number(head.readBigInt64BE());
  }

  #flush(): void {
    this.#settle();
    this.harness.flush(this.log);
    assert.equal(this.log.flushedEndOffset, this.log.logEndOffset);
    this.#noteFlush();
  }

  #noteFlush(): void {
    this.#flushed = this.log.flushedEndOffset;
    this.#former = [];
  }

  #truncate(): void {
    this.#settle();
    const { log } = this;
    if (log.logEndOffset === log.logStartOffset) return;
    const offset = this.#boundary(this.#random.between(log.logStartOffset, log.logEndOffset - 1));
    const bytes = log.read(offset, {
      maxBytes: 10_000,
      upperBoundOffset: log.logEndOffset,
      minOneBatch: true,
    });
    this.#former.push(this.#records);
    let cut = false;
    log.truncateTo(offset, (error) => {
      assert.equal(error, null);
      cut = true;
    });
    assert.ok(this.harness.clock.runUntilTrue(() => cut));
    assert.ok(bytes.range === null || bytes.range.revoked, 'a lease does not survive the cut of its bytes');
    bytes.range?.release();
    this.#records = this.#records.filter((record) => record.offset < offset);
    this.#flushed = Math.min(this.#flushed, offset);
    this.#start = Math.min(this.#start, offset);
    this.#epoch++;
    assert.equal(log.logEndOffset, offset);
  }

  #advanceStart(): void {
    this.#settle();
    const { log } = this;
    this.#start = this.#random.between(log.logStartOffset, log.logEndOffset);
    log.advanceLogStart(this.#start);
    this.#start = log.logStartOffset;
  }

  /** Retention by size or time, up to a high watermark: of the first segments some go, and of what stays not one could. */
  #retain(): void {
    this.#settle();
    const { log } = this;
    const nowMs = this.harness.clock.wallMs();
    log.highWatermark = this.#random.between(
      Math.max(log.highWatermark, log.logStartOffset),
      log.logEndOffset,
    );
    const { config } = log;
    const bySize = this.#random.chance(0.6);
    const retentionBytes = bySize ? this.#random.between(0, log.sizeBytes + 1000) : -1;
    const retentionMs = bySize ? -1 : this.#random.between(0, 200);
    const { logStartOffset, logEndOffset, sizeBytes } = log;
    log.updateConfig({ ...config, retentionBytes, retentionMs });
    log.applyRetention(nowMs);
    log.updateConfig(config);
    this.#start = log.logStartOffset;
    assert.ok(this.#start >= logStartOffset && this.#start <= Math.max(log.highWatermark, logStartOffset));
    assert.equal(log.logEndOffset, logEndOffset, 'retention takes nothing from the end');
    if (retentionBytes >= 0)
      assert.ok(log.sizeBytes >= Math.min(retentionBytes, sizeBytes), 'no more than is too much');
    const [first, next] = log.segments;
    if (first === undefined || next === undefined || next.baseOffset > log.highWatermark) return;
    if (bySize) assert.ok(log.sizeBytes - retentionBytes < first.sizeBytes, 'nothing too much stays');
    else if (first.maxTimestampMs >= 0)
      assert.ok(nowMs - first.maxTimestampMs <= retentionMs, 'nothing old stays');
  }

  /** The disk is full for a while: appends fail or not, and the log goes on. */
  #fail(): void {
    this.#settle();
    const { faults } = this.harness.disk;
    const lift = this.#random.chance(0.5)
      ? faults.add({ operation: ['append', 'open'], code: 'ENOSPC', probability: 0.5 })
      : faults.add({
          operation: 'append',
          pathPrefix: this.log.segments.at(-1)?.file.path ?? '/',
          probability: 0.5,
        });
    for (let i = 0; i < 3; i++) this.#appendOne(true);
    this.#settle();
    lift();
  }

  #crash(kind: 'power' | 'process'): void {
    if (this.#random.chance(0.5)) this.#settle();
    const flushed = Math.max(this.#flushed, this.#former.length === 0 ? this.log.flushedEndOffset : 0);
    const { segmentBytes } = this.log.config;
    this.harness.crash(kind);
    this.harness.open();
    const { log } = this;
    assert.equal(log.config.segmentBytes, segmentBytes);
    const found = readAll(log);
    if (kind === 'process') {
      // Appends in flight at the crash may be there or not; what was told is.
      const told = this.#visible();
      assert.deepEqual(found.filter((record) => record.offset >= this.#start).slice(0, told.length), told);
    } else {
      this.#checkSurvivors(found, flushed);
    }
    this.#records = found;
    this.#start = log.logStartOffset;
    this.#epoch++;
    this.#inFlight = 0;
    this.#flushed = log.flushedEndOffset;
    this.#former = kind === 'process' ? this.#former : [];
    this.#checkEpochs();
  }

  /** What a loss of power left is a beginning of the log as it was at some moment since the last flush. */
  #checkSurvivors(found: ReadRecord[], flushed: number): void {
    const { log } = this;
    assert.ok(
      log.logEndOffset >= Math.min(flushed, ...this.#former.map(() => 0)),
      'what was flushed is there',
    );
    if (this.#former.length === 0) assert.ok(log.logEndOffset >= flushed, 'what was flushed is there');
    const timelines = [this.#records, ...this.#former];
    const matches = timelines.some((timeline) => {
      const shared = timeline.filter((record) => record.offset >= log.logStartOffset);
      const least = Math.min(shared.length, found.length);
      return found.slice(0, least).every((record, i) => record.value === shared[i]?.value);
    });
    assert.ok(matches, 'what is left is what was written, from the beginning');
  }

  #checkEpochs(): void {
    for (const record of this.#visible()) {
      assert.equal(this.log.epochOfOffset(record.offset), record.epoch, `epoch of ${record.offset}`);
    }
  }

  #restart(): void {
    this.#settle();
    this.harness.close();
    this.harness.open();
    assert.equal(this.harness.directories[0]?.wasClean, true);
    assert.equal(this.log.logEndOffset, this.#end);
    assert.equal(this.log.logStartOffset, this.#start);
    assert.deepEqual(readAll(this.log), this.#visible());
    this.#noteFlush();
    this.#checkEpochs();
  }
}

function run(seed: number, steps: number, disk: VirtualDiskOptions): void {
  const model = new Model(seed, disk);
  for (let i = 0; i < steps; i++) {
    try {
      model.step();
    } catch (error) {
      throw new Error(`seed ${seed}, step ${i}: ${(error as Error).message}`, { cause: error });
    }
  }
}

const [first, last] = (process.env['LOG_SEEDS'] ?? '0-30').split('-').map(Number);

test('a log on an instant disk is the model of it, whatever happens', () => {
  for (let seed = first as number; seed < (last as number); seed++) run(seed, 80, {});
});

test('a log on a slow disk is the model of it, whatever happens', () => {
  for (let seed = first as number; seed < (last as number); seed++) {
    run(seed, 80, { latency: SSD_LATENCY, shortWrites: 0.1 });
  }
});
