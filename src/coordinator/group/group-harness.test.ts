import assert from 'node:assert/strict';
import { ErrorCode } from '../../base/errors.ts';
import { Random } from '../../base/random.ts';
import { encodeCoordinatorRecord } from '../runtime/coordinator-record.ts';
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts';
import type { CoordinatorResult } from '../runtime/coordinator-result.ts';
import { Shard } from '../runtime/shard.ts';
import type { ShardBatch } from '../runtime/shard-batch.ts';
import type { GroupConfig } from './group-config.ts';
import { GROUP_RECORD_TYPES } from './group-records.ts';
import { GroupShard } from './group-shard.ts';

/** Settings with round numbers. */
export const TEST_CONFIG: GroupConfig = {
  offsetMetadataMaxLength: 100,
  offsetsRetentionMs: 7 * 86_400_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxGroupSize: 1000,
  initialRebalanceDelayMs: 3_000,
};

/** A batch in the log of a test. */
interface LoggedBatch {
  readonly baseOffset: number;
  readonly records: ShardBatch['records'];
}

/** What becomes of a batch: it is written and committed, written only, refused, or left under way. */
export type Fate = 'commit' | 'write' | 'fail' | 'hold';

/** A shard of groups over a log in memory, in a time that a test moves. */
export class GroupBench {
  readonly config: GroupConfig;
  readonly log: LoggedBatch[] = [];
  /** Called with each record as it reaches the log. */
  onRecord: (record: CoordinatorRecord, offset: number) => void = () => {};
  nowMs = 1_000;
  wallOffsetMs = 1_700_000_000_000;
  fate: Fate = 'commit';
  failure: ErrorCode = ErrorCode.NOT_ENOUGH_REPLICAS;
  shard: Shard<GroupShard>;
  /** A batch that is under way for as long as the fate is `hold`. */
  #held: ShardBatch | null = null;
  readonly #random: Random;
  readonly #lingerMs: number;

  constructor(config: Partial<GroupConfig> = {}, options: { seed?: number; lingerMs?: number } = {}) {
    this.config = { ...TEST_CONFIG, ...config };
    this.#random = new Random(options.seed ?? 1);
    this.#lingerMs = options.lingerMs ?? -1;
    this.shard = this.#newShard();
  }

  get now() {
    return { monotonicMs: this.nowMs, wallMs: this.wallOffsetMs + this.nowMs };
  }

  get endOffset(): number {
    const last = this.log.at(-1);
    return last === undefined ? 0 : last.baseOffset + last.records.length;
  }

  /** Runs an operation and what follows from it. `done` is told the outcome. */
  write<R>(
    operation: (shard: GroupShard) => CoordinatorResult<R>,
    done: (errorCode: ErrorCode, response: R | null) => void,
  ): void {
    this.shard.write(operation, this.now, done);
    this.settle();
  }

  /** Lets batches meet their fate until there is nothing to do. */
  settle(): void {
    for (;;) {
      const batch = this.#held ?? this.shard.takeBatch(this.nowMs);
      this.#held = null;
      if (batch === null) return;
      if (this.fate === 'hold') {
        this.#held = batch;
        return;
      }
      this.#end(batch);
      this.shard.checkInvariants();
    }
  }

  #end(batch: ShardBatch): void {
    if (this.fate === 'fail') {
      this.shard.appendFailed(this.failure, this.now);
      return;
    }
    assert.equal(batch.baseOffset, this.endOffset);
    this.log.push({ baseOffset: batch.baseOffset, records: [...batch.records] });
    batch.records.forEach(({ key, value }, i) => {
      const record = GROUP_RECORD_TYPES.decode(key, value);
      assert.ok(record !== null);
      this.onRecord(record, batch.baseOffset + i);
    });
    assert.ok(this.shard.appended(batch.baseOffset));
    if (this.fate === 'commit') this.commit();
  }

  /** Everything written is committed. */
  commit(): void {
    this.shard.committed(this.endOffset, this.now);
  }

  /** Lets time pass, with all that is due in it. */
  advance(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      const deadlineMs = this.shard.nextDeadlineMs();
      if (deadlineMs === null || deadlineMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, Math.ceil(deadlineMs));
      this.shard.tick(this.now);
      this.settle();
    }
    this.nowMs = endMs;
    this.shard.checkInvariants();
  }

  /** The broker ends, cleanly or not, and another shard is loaded from the log. */
  restart(options: { readonly answer: boolean } = { answer: true }): void {
    if (options.answer) this.shard.close(ErrorCode.NOT_COORDINATOR);
    this.#held = null;
    this.shard = this.#newShard();
    this.settle();
  }

  /** A shard that knows nothing yet. */
  newLoadingShard(): Shard<GroupShard> {
    return new Shard<GroupShard>(
      {
        create: (context) => new GroupShard(context, this.config),
        random: this.#random.fork(),
        maxBatchBytes: () => 1_048_588,
        lingerMs: this.#lingerMs,
        writeTimeoutMs: 5_000,
        onWork: () => {},
      },
      this.now,
    );
  }

  #newShard(): Shard<GroupShard> {
    const shard = this.newLoadingShard();
    for (const { baseOffset, records } of this.log) {
      records.forEach(({ key, value }, i) => {
        const record = GROUP_RECORD_TYPES.decode(key, value);
        assert.ok(record !== null);
        assert.deepEqual(encodeCoordinatorRecord(record), { key, value }, 'a record reads as it was written');
        shard.replay(record, baseOffset + i, -1);
      });
    }
    shard.loaded(this.endOffset, this.endOffset, this.now);
    return shard;
  }
}
