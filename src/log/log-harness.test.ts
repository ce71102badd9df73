import assert from 'node:assert/strict';
import { VirtualClock, type HostClock } from '../../sim/virtual/clock.ts';
import { VirtualDisk, type VirtualDiskOptions } from '../../sim/virtual/disk.ts';
import { ErrorCode, errorName } from '../base/errors.ts';
import { nullLogger } from '../base/logger.ts';
import { Random } from '../base/random.ts';
import { HeldCompute } from '../records/held-compute.test.ts';
import { BatchView } from '../records/batch.ts';
import { type BatchInput, buildBatch, type RecordInput } from '../records/builder.ts';
import { readRecords } from '../records/reader.ts';
import type { AppendOutcome, AppendRequest } from './append-request.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import { LogManager, type LogManagerOptions } from './log-manager.ts';
import { openLogDirectories } from './open-directories.ts';
import type { PartitionLog } from './partition-log.ts';

export const TOPIC_ID = 'AQIDBAUGBwgJCgsMDQ4PEA';

/** A machine with a virtual disk on which log managers come and go. */
export class LogHarness {
  readonly clock = new VirtualClock();
  readonly disk: VirtualDisk;
  readonly compute = new HeldCompute();
  readonly random: Random;
  readonly paths: readonly string[];
  config: LogConfig;
  manager: LogManager | null = null;
  directories: readonly LogDirectory[] = [];
  #host: HostClock;
  managerOptions: Partial<LogManagerOptions> = {};

  constructor(
    options: { seed?: number; disk?: VirtualDiskOptions; config?: Partial<LogConfig>; paths?: string[] } = {},
  ) {
    this.random = new Random(options.seed ?? 1);
    this.disk = new VirtualDisk({ clock: this.clock, random: this.random.fork(), ...options.disk });
    this.config = { ...DEFAULT_LOG_CONFIG, ...options.config };
    this.paths = options.paths ?? ['/data'];
    this.#host = this.clock.forHost();
  }

  /** Starts; the clock runs until the logs are there. */
  open(): this {
    const environment = {
      clock: this.#host,
      disk: this.disk,
      compute: this.compute,
      logger: nullLogger,
      random: this.random.fork(),
    };
    let failure: Error | null = null;
    openLogDirectories(
      environment,
      { paths: this.paths, nodeId: 1, clusterId: null, formatBlank: true },
      (error, directories) => {
        failure = error;
        if (error !== null) return;
        this.directories = directories;
        LogManager.open(
          environment,
          { directories, configOf: () => this.config, ...this.managerOptions },
          (cause, manager) => {
            failure = cause;
            this.manager = manager;
          },
        );
      },
    );
    this.clock.runUntilTrue(() => this.manager !== null || failure !== null);
    if (failure !== null) throw failure as Error;
    assert.ok(this.manager !== null);
    return this;
  }

  /** Stops well. */
  close(brokerEpoch = 7): void {
    let done = false;
    this.manager?.close({ clean: true, brokerEpoch }, () => {
      done = true;
    });
    assert.ok(this.clock.runUntilTrue(() => done));
    for (const directory of this.directories) directory.release();
    this.manager = null;
    this.#host.stop();
    this.#host = this.clock.forHost();
  }

  /** Stops badly. */
  crash(kind: 'power' | 'process'): void {
    this.manager = null;
    this.#host.stop();
    this.#host = this.clock.forHost();
    this.disk.crash(kind);
  }

  log(topic = 't', partition = 0): PartitionLog {
    assert.ok(this.manager !== null);
    return this.manager.get(topic, partition) ?? this.manager.create(topic, partition, TOPIC_ID);
  }

  batch(records: number | RecordInput[], rest: Partial<BatchInput> = {}): Buffer {
    const list = typeof records === 'number' ? this.records(records) : records;
    return buildBatch({ records: list, ...rest }, this.compute);
  }

  records(count: number, valueBytes = 20): RecordInput[] {
    return Array.from({ length: count }, () => ({
      key: Buffer.from(`k${this.random.below(100)}`),
      value: this.random.bytes(valueBytes),
      timestampMs: this.clock.wallMs(),
    }));
  }

  request(bytes: Buffer, rest: Partial<AppendRequest> = {}): AppendRequest {
    return {
      buffer: bytes,
      start: 0,
      end: bytes.length,
      leaderEpoch: 0,
      origin: 'client',
      produceVersion: 13,
      nowMs: this.clock.wallMs(),
      ...rest,
    };
  }

  /** Appends and waits for the outcome. */
  append(log: PartitionLog, bytes: Buffer, rest: Partial<AppendRequest> = {}): AppendOutcome {
    let outcome: AppendOutcome | null = null;
    log.append(this.request(Buffer.from(bytes), rest), (result) => {
      assert.equal(outcome, null);
      outcome = result;
    });
    assert.ok(this.clock.runUntilTrue(() => outcome !== null));
    log.checkInvariants();
    return outcome as unknown as AppendOutcome;
  }

  /** Appends what must be accepted. */
  produce(log: PartitionLog, bytes: Buffer, rest: Partial<AppendRequest> = {}): AppendOutcome {
    const outcome = this.append(log, bytes, rest);
    assert.equal(errorName(outcome.errorCode), 'NONE', outcome.errorMessage ?? '');
    return outcome;
  }

  flush(log: PartitionLog): void {
    let done = false;
    log.flush((error) => {
      assert.equal(error, null);
      done = true;
    });
    assert.ok(this.clock.runUntilTrue(() => done));
  }

  whenIdle(log: PartitionLog): void {
    let idle = false;
    log.whenIdle(() => {
      idle = true;
    });
    assert.ok(this.clock.runUntilTrue(() => idle));
  }
}

/** A record as a reader of the log sees it. */
export interface ReadRecord {
  readonly offset: number;
  readonly value: string;
  readonly epoch: number;
}

/** Reads `[from, upperBound)` as a consumer does: range after range, ignoring what is cut or below. */
export function readAll(
  log: PartitionLog,
  from = log.logStartOffset,
  upperBound = log.logEndOffset,
  maxBytes = 1 << 20,
): ReadRecord[] {
  const records: ReadRecord[] = [];
  let next = from;
  while (next < upperBound) {
    const before = next;
    for (const batch of readBatches(log, next, {
      maxBytes,
      upperBoundOffset: upperBound,
      minOneBatch: true,
    })) {
      const view = new BatchView().at(batch, 0);
      for (const record of readRecords(batch, 0)) {
        if (record.offset < next) continue;
        records.push({
          offset: record.offset,
          value: record.value?.toString('hex') ?? '',
          epoch: view.partitionLeaderEpoch,
        });
      }
      next = Math.max(next, view.endOffset);
    }
    if (next === before) break;
  }
  return records;
}

/** The whole batches of one read. */
export function readBatches(
  log: PartitionLog,
  offset: number,
  options: { maxBytes: number; upperBoundOffset: number; minOneBatch: boolean },
): Buffer[] {
  const result = log.read(offset, options);
  assert.equal(errorName(result.errorCode), 'NONE');
  if (result.range === null) return [];
  const bytes = Buffer.alloc(result.lengthBytes);
  result.range.read(bytes, 0, 0, bytes.length);
  result.range.release();
  const batches: Buffer[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const sizeBytes = bytes.readInt32BE(at + 8) + 12;
    if (at + sizeBytes > bytes.length) break;
    batches.push(bytes.subarray(at, at + sizeBytes));
    at += sizeBytes;
  }
  assert.ok(!options.minOneBatch || batches.length > 0, 'a read that must give a batch gives one');
  return batches;
}

/** Values of the records of a batch, as `readAll` gives them. */
export function valuesOf(batch: Buffer): string[] {
  return readRecords(batch, 0).map((record) => record.value?.toString('hex') ?? '');
}

export const NONE = ErrorCode.NONE;
