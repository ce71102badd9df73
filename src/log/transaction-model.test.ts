import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import { Random } from '../base/random.ts';
import { BatchView } from '../records/batch.ts';
import { buildControlBatch } from '../records/control-records.ts';
import { readRecords } from '../records/reader.ts';
import { markerOf } from '../records/transaction-marker.ts';
import { LogHarness } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';

type Fate = 'plain' | 'open' | 'COMMIT' | 'ABORT';

/** A batch of records, or a marker, as the model has it. */
interface Written {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly producerId: number;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly kind: 'plain' | 'transactional' | 'COMMIT' | 'ABORT';
  readonly coordinatorEpoch: number;
  readonly values: readonly string[];
}

/** A transaction, as a walk over everything that was written finds it. */
interface Transaction {
  readonly firstOffset: number;
  /** Offset of the marker, infinite while it is open. */
  lastOffset: number;
  fate: Fate;
}

/** What is known of a producer. */
interface Known {
  epoch: number;
  lastSequence: number;
  coordinatorEpoch: number;
  firstOffset: number;
}

const UNKNOWN: Known = { epoch: -1, lastSequence: -1, coordinatorEpoch: -1, firstOffset: -1 };

/** Everything that was written to a log, from its very start. */
class Model {
  written: Written[] = [];

  get endOffset(): number {
    return this.written.at(-1)?.endOffset ?? 0;
  }

  cut(offset: number): void {
    this.written = this.written.filter(({ endOffset }) => endOffset <= offset);
  }

  producers(): Map<number, Known> {
    const known = new Map<number, Known>();
    for (const one of this.written) {
      const { producerId, epoch, kind } = one;
      const before = known.get(producerId) ?? UNKNOWN;
      const isMarker = kind === 'COMMIT' || kind === 'ABORT';
      const kept = before.epoch === epoch ? before.lastSequence : -1;
      const begins = kind === 'transactional' && before.firstOffset < 0;
      known.set(producerId, {
        epoch,
        lastSequence: isMarker ? kept : one.lastSequence,
        coordinatorEpoch: isMarker ? one.coordinatorEpoch : before.coordinatorEpoch,
        firstOffset: isMarker ? -1 : begins ? one.baseOffset : before.firstOffset,
      });
    }
    return known;
  }

  /** Transactions in the order in which they began, with the fate of every batch beside. */
  transactions(): { readonly all: Transaction[]; readonly fates: Map<Written, Fate> } {
    const all: Transaction[] = [];
    const open = new Map<number, { readonly transaction: Transaction; readonly batches: Written[] }>();
    const fates = new Map<Written, Fate>();
    for (const one of this.written) {
      const { kind, producerId } = one;
      if (kind === 'plain') fates.set(one, 'plain');
      if (kind === 'transactional') {
        let entry = open.get(producerId);
        if (entry === undefined) {
          const transaction: Transaction = {
            firstOffset: one.baseOffset,
            lastOffset: Infinity,
            fate: 'open',
          };
          entry = { transaction, batches: [] };
          open.set(producerId, entry);
          all.push(transaction);
        }
        entry.batches.push(one);
        fates.set(one, 'open');
      }
      if (kind === 'COMMIT' || kind === 'ABORT') {
        const entry = open.get(producerId);
        if (entry === undefined) continue;
        open.delete(producerId);
        entry.transaction.lastOffset = one.baseOffset;
        entry.transaction.fate = kind;
        for (const batch of entry.batches) fates.set(batch, kind);
      }
    }
    return { all, fates };
  }

  lastStableOffset(highWatermark: number, logStartOffset: number): number {
    const unstable = this.transactions().all.filter(({ lastOffset }) => lastOffset >= highWatermark);
    const first = Math.min(...unstable.map(({ firstOffset }) => firstOffset));
    return first < highWatermark ? Math.max(first, logStartOffset) : highWatermark;
  }

  /** Values that a READ_COMMITTED reader sees in `[from, to)`. */
  committed(from: number, to: number): string[] {
    const { fates } = this.transactions();
    const seen: string[] = [];
    for (const [one, fate] of fates) {
      if (fate === 'open' || fate === 'ABORT') continue;
      one.values.forEach((value, i) => {
        if (one.baseOffset + i >= from && one.baseOffset + i < to) seen.push(value);
      });
    }
    return seen;
  }
}

/** Reads as a consumer does that knows the protocol only: ranges of bytes, and the aborted transactions told beside each. */
function readCommitted(log: PartitionLog, from: number, maxBytes: number): string[] {
  const values: string[] = [];
  const upperBoundOffset = log.lastStableOffset;
  let next = from;
  while (next < upperBoundOffset) {
    const before = next;
    const { range, lengthBytes } = log.read(next, { maxBytes, upperBoundOffset, minOneBatch: true });
    if (range === null) break;
    const bytes = Buffer.alloc(lengthBytes);
    range.read(bytes, 0, 0, lengthBytes);
    const aborted = log.abortedTransactions(next, range, upperBoundOffset);
    range.release();
    assert.ok(aborted !== null);
    const left = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
    const aborting = new Set<number>();
    const view = new BatchView();
    for (let at = 0; at + 61 <= bytes.length; at += view.sizeBytes) {
      view.at(bytes, at);
      if (at + view.sizeBytes > bytes.length) break;
      while (left[0] !== undefined && left[0].firstOffset <= view.lastOffset)
        aborting.add(left.shift()?.producerId as number);
      const isLeftOut = view.isControl || (view.isTransactional && aborting.has(view.producerId));
      if (markerOf(view)?.type === 'ABORT') aborting.delete(view.producerId);
      if (!isLeftOut) {
        for (const record of readRecords(bytes, at))
          if (record.offset >= next) values.push(record.value?.toString('hex') ?? '');
      }
      next = Math.max(next, view.endOffset);
    }
    if (next === before) break;
  }
  return values;
}

class Run {
  readonly #random: Random;
  readonly #harness: LogHarness;
  readonly #model = new Model();
  #coordinatorEpoch = 0;

  constructor(seed: number) {
    this.#random = new Random(seed, 11);
    this.#harness = new LogHarness({
      seed,
      disk: { latency: SSD_LATENCY, shortWrites: 0.02 },
      config: { segmentBytes: 1200, indexIntervalBytes: 150 },
    }).open();
  }

  get #log(): PartitionLog {
    return this.#harness.log();
  }

  go(steps: number): void {
    this.#harness.flush(this.#log);
    for (let i = 0; i < steps; i++) {
      this.#step();
      this.#check();
    }
  }

  #step(): void {
    const roll = this.#random.below(100);
    if (roll < 45) this.#writeRecords();
    else if (roll < 62) this.#writeMarker();
    else if (roll < 80) this.#moveHighWatermark();
    else if (roll < 85) this.#harness.flush(this.#log);
    else if (roll < 89) this.#truncate();
    else if (roll < 92) this.#moveLogStart();
    else if (roll < 95) this.#restart(() => this.#harness.close());
    else if (roll < 98) this.#restart(() => this.#harness.crash('process'));
    else this.#restart(() => this.#harness.crash('power'));
  }

  /** Producers 1 to 4 write in transactions, 5 without. */
  #writeRecords(): void {
    const producerId = 1 + this.#random.below(5);
    const transactional = producerId < 5;
    const known = this.#model.producers().get(producerId) ?? UNKNOWN;
    const epoch = Math.max(known.epoch, 0);
    const records = this.#harness.records(1 + this.#random.below(3), 12);
    const baseSequence = known.lastSequence + 1;
    const bytes = this.#harness.batch(records, {
      producerId,
      producerEpoch: epoch,
      baseSequence,
      transactional,
    });
    const { baseOffset, endOffset } = this.#harness.produce(this.#log, bytes);
    this.#model.written.push({
      baseOffset,
      endOffset,
      producerId,
      epoch,
      lastSequence: baseSequence + records.length - 1,
      kind: transactional ? 'transactional' : 'plain',
      coordinatorEpoch: -1,
      values: records.map(({ value }) => value?.toString('hex') ?? ''),
    });
  }

  /** Ends a transaction, or writes a marker where none is open, as a retry does. */
  #writeMarker(): void {
    const producerId = 1 + this.#random.below(4);
    const known = this.#model.producers().get(producerId);
    if (known === undefined) return;
    const transactionVersion = this.#random.pick([0, 2]);
    const bumps = transactionVersion === 2 && known.firstOffset >= 0;
    const epoch = known.epoch + (bumps ? 1 : 0);
    if (this.#random.below(5) === 0) this.#coordinatorEpoch++;
    const coordinatorEpoch = this.#coordinatorEpoch;
    const kind = this.#random.pick(['COMMIT', 'ABORT'] as const);
    const marker = buildControlBatch(
      {
        records: [{ type: kind, coordinatorEpoch }],
        timestampMs: this.#harness.clock.wallMs(),
        producerId,
        producerEpoch: epoch,
      },
      this.#harness.compute,
    );
    const { baseOffset, endOffset } = this.#harness.produce(this.#log, marker, {
      origin: 'coordinator',
      transactionVersion,
    });
    this.#model.written.push({
      baseOffset,
      endOffset,
      producerId,
      epoch,
      lastSequence: -1,
      kind,
      coordinatorEpoch,
      values: [],
    });
  }

  #moveHighWatermark(): void {
    const { highWatermark } = this.#log;
    const ends = this.#model.written.map(({ endOffset }) => endOffset).filter((end) => end > highWatermark);
    if (ends.length > 0) this.#log.highWatermark = this.#random.pick(ends);
  }

  #truncate(): void {
    const { logStartOffset } = this.#log;
    const ends = [0, ...this.#model.written.map(({ endOffset }) => endOffset)].slice(-6);
    const inLog = ends.filter((end) => end >= logStartOffset);
    if (inLog.length === 0) return;
    const offset = this.#random.pick(inLog);
    let result: Error | null | undefined;
    this.#log.truncateTo(offset, (error) => {
      result = error;
    });
    assert.ok(this.#harness.clock.runUntilTrue(() => result !== undefined));
    assert.equal(result, null);
    this.#model.cut(offset);
    // A crash may bring back what was cut, until the cut is durable.
    this.#harness.flush(this.#log);
  }

  /** A snapshot at the start of what is left must be there when what lies before it is not: all is flushed first, as it is by the time segments grow old. */
  #moveLogStart(): void {
    const { logStartOffset, highWatermark } = this.#log;
    const span = highWatermark - logStartOffset;
    if (span <= 0) return;
    this.#harness.flush(this.#log);
    this.#harness.whenIdle(this.#log);
    this.#log.advanceLogStart(logStartOffset + this.#random.below(Math.min(span, 20) + 1));
  }

  #restart(stop: () => void): void {
    stop();
    this.#harness.open();
    this.#model.cut(this.#log.logEndOffset);
    this.#harness.flush(this.#log);
  }

  #check(): void {
    const log = this.#log;
    log.checkInvariants();
    assert.equal(log.logEndOffset, this.#model.endOffset);
    const { highWatermark, logStartOffset, lastStableOffset } = log;
    assert.equal(lastStableOffset, this.#model.lastStableOffset(highWatermark, logStartOffset));
    const known = new Map(
      [...log.producers()].map((entry) => [
        entry.producerId,
        {
          epoch: entry.epoch,
          lastSequence: entry.lastSequence,
          coordinatorEpoch: entry.coordinatorEpoch,
          firstOffset: entry.currentTxnFirstOffset,
        },
      ]),
    );
    assert.deepEqual(known, this.#model.producers());
    const from = logStartOffset + this.#random.below(Math.max(lastStableOffset - logStartOffset, 0) + 1);
    const maxBytes = this.#random.pick([100, 400, 2000, 100_000]);
    assert.deepEqual(readCommitted(log, from, maxBytes), this.#model.committed(from, lastStableOffset));
  }
}

test('READ_COMMITTED readers see just what was committed, and the last stable offset is right, through cuts, crashes and restarts', () => {
  for (let seed = 0; seed < 60; seed++) {
    try {
      new Run(seed).go(150);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});
