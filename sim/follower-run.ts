/**
 * A log as a follower has it: its leader makes it append, and now and then cut its end and append something else there, while slow readers hold leases on what is cut. A
 * reader may lose its connection, but what it is given whole is what the log held when the read was made.
 */
import { assert } from '../src/base/assert.ts';
import { ErrorCode } from '../src/base/errors.ts';
import { nullLogger } from '../src/base/logger.ts';
import type { Random } from '../src/base/random.ts';
import { randomUuid } from '../src/base/uuid.ts';
import type { ConnectionId, ConnectionLimits, FrameTable, Network } from '../src/io/network.ts';
import { DEFAULT_LOG_CONFIG } from '../src/log/log-config.ts';
import { LogManager } from '../src/log/log-manager.ts';
import { openLogDirectories } from '../src/log/open-directories.ts';
import type { PartitionLog } from '../src/log/partition-log.ts';
import { buildBatch } from '../src/records/builder.ts';
import { parseBatches } from './actors/batches.ts';
import { type RecordIdentity, recordKey } from './events.ts';
import { VirtualCompute } from './virtual/compute.ts';
import { SSD_LATENCY, VirtualDisk } from './virtual/disk.ts';
import { VirtualInternet } from './virtual/network.ts';
import type { World } from './world.ts';

const TOPIC = 'followed';
const ADDRESS = { host: 'follower', port: 9092 } as const;
const READERS = 4;
const MAX_FRAME_BYTES = 1 << 20;
/** Request: the offset asked for, int64. Answer: the generation of the log, int32, then batches. */
const REQUEST_BYTES = 8;
const LIMIT_MS = 600_000;

/** What the log held, by offset, between two truncations. */
type Generation = Map<number, RecordIdentity>;

/** A run of one log without a broker around it. */
export class FollowerRun {
  readonly #world: World;
  readonly #random: Random;
  readonly #internet: VirtualInternet;
  readonly #compute: VirtualCompute;
  readonly #generations: Generation[] = [new Map()];
  #log: PartitionLog | null = null;
  #batchStarts: number[] = [];
  #nextNumber = 0;
  #leaderEpoch = 1;
  #answersChecked = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork();
    this.#compute = new VirtualCompute(world.clock);
    // A small window, so that answers wait with their leases.
    const windowBytes = this.#random.pick([300, 1_000, 8_000]);
    this.#internet = new VirtualInternet({ clock: world.clock, random: world.random.fork(), windowBytes });
  }

  /** Runs until `events` have happened. What is broken is in `world.failure`. */
  async run(events: number): Promise<void> {
    const { clock } = this.#world;
    this.#open();
    const opened = await clock.driveUntilTrue(() => this.#log !== null || this.#failed, LIMIT_MS);
    assert(opened, 'a log on an empty disk is opened');
    this.#serve();
    for (let i = 0; i < READERS; i++) this.#read(i);
    this.#write();
    const look = (): boolean => {
      this.#world.inside(() => this.#log?.checkInvariants());
      return this.#failed || clock.eventsRun >= events;
    };
    await clock.driveUntilTrue(look, LIMIT_MS);
    this.#world.note(`${this.#generations.length - 1} truncations, ${this.#answersChecked} answers checked`);
  }

  get #failed(): boolean {
    return this.#world.failure !== null;
  }

  get #content(): Generation {
    return this.#generations.at(-1) as Generation;
  }

  #open(): void {
    const random = this.#random;
    const environment = {
      clock: this.#world.clock.forHost(),
      disk: new VirtualDisk({ clock: this.#world.clock, random: random.fork(), latency: SSD_LATENCY }),
      compute: this.#compute,
      logger: nullLogger,
      random: random.fork(),
    };
    const config = {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: random.pick([2_000, 20_000, 1_000_000]),
      indexIntervalBytes: 200,
    };
    openLogDirectories(
      environment,
      { paths: ['/data'], nodeId: 1, clusterId: null, formatBlank: true },
      (error, directories) => {
        if (error !== null) throw error;
        LogManager.open(environment, { directories, configOf: () => config }, (cause, manager) => {
          if (cause !== null || manager === null) throw cause;
          this.#log = manager.create(TOPIC, 0, randomUuid(random));
        });
      },
    );
  }

  /** One append, or now and then a truncation, then the next. */
  #write(): void {
    const { clock } = this.#world;
    const next = (): void =>
      void clock.schedule(clock.monotonicMs() + this.#random.below(4), () =>
        this.#world.guard(() => this.#write()),
      );
    if (this.#failed) return;
    const log = this.#log as PartitionLog;
    if (this.#random.chance(0.1) && log.logEndOffset > log.logStartOffset) this.#truncate(log, next);
    else this.#append(log, next);
  }

  #append(log: PartitionLog, done: () => void): void {
    const random = this.#random;
    const baseOffset = log.logEndOffset;
    const count = random.between(1, 5);
    const identities = Array.from({ length: count }, () => ({ producer: 0, number: this.#nextNumber++ }));
    const records = identities.map((identity) => ({
      key: Buffer.from(recordKey(identity)),
      value: random.bytes(random.below(400)),
      timestampMs: this.#world.clock.wallMs(),
    }));
    const buffer = buildBatch(
      { records, baseOffset, partitionLeaderEpoch: this.#leaderEpoch },
      this.#compute,
    );
    const request = {
      buffer,
      start: 0,
      end: buffer.length,
      leaderEpoch: this.#leaderEpoch,
      origin: 'replica',
      produceVersion: 13,
      nowMs: this.#world.clock.wallMs(),
    } as const;
    log.append(request, (outcome) => {
      this.#world.guard(() =>
        assert(
          outcome.errorCode === ErrorCode.NONE,
          `a follower's append got ${outcome.errorCode}: ${outcome.errorMessage}`,
        ),
      );
      identities.forEach((identity, i) => this.#content.set(baseOffset + i, identity));
      this.#batchStarts.push(baseOffset);
      done();
    });
  }

  #truncate(log: PartitionLog, done: () => void): void {
    // What a leader names is always where a batch starts.
    const starts = this.#batchStarts.filter((start) => start >= log.logStartOffset);
    if (starts.length === 0) return done();
    const asked = this.#random.pick(starts);
    this.#batchStarts = starts.filter((start) => start < asked);
    log.truncateTo(asked, (error) => {
      const end = log.logEndOffset;
      this.#world.note(`truncated to ${asked}, ends at ${end}`);
      this.#world.guard(() =>
        assert(
          error === null && end <= asked,
          `a log is cut where it was told or before: ${error?.message ?? end}`,
        ),
      );
      this.#generations.push(new Map([...this.#content].filter(([offset]) => offset < end)));
      this.#leaderEpoch++;
      done();
    });
  }

  #serve(): void {
    const network = this.#host(ADDRESS.host);
    network.listen({
      ...ADDRESS,
      limits: limits(),
      handler: {
        onOpen: (connection) => network.setCredits(connection, 1),
        onFrames: (frames) => {
          for (let i = 0; i < frames.count; i++) this.#world.guard(() => this.#answer(network, frames, i));
        },
        onClose: () => undefined,
        onDrain: () => undefined,
      },
    });
  }

  #answer(network: Network, frames: FrameTable, i: number): void {
    const log = this.#log as PartitionLog;
    const connection = frames.connection(i);
    const offset = Number(frames.buffer(i).readBigInt64BE(frames.start(i)));
    const read = log.read(Math.min(offset, log.logEndOffset), {
      maxBytes: 4_000,
      upperBoundOffset: log.logEndOffset,
      minOneBatch: true,
    });
    const head = Buffer.alloc(8);
    head.writeInt32BE(4 + read.lengthBytes);
    head.writeInt32BE(this.#generations.length - 1, 4);
    network.send(connection, read.range === null ? [head] : [head, read.range]);
    network.setCredits(connection, 1);
  }

  /** A reader that goes round and round; it comes back after it lost its connection. */
  #read(reader: number): void {
    const { clock } = this.#world;
    const network = this.#host(`reader-${reader}`);
    let offset = 0;
    const connect = (): void => {
      network.connect({
        ...ADDRESS,
        limits: limits(),
        handler: {
          onOpen: (connection) => ask(network, connection, offset),
          onFrames: (frames) => {
            this.#world.guard(() => {
              offset = this.#check(reader, frames.retain(0), offset);
            });
            const connection = frames.connection(0);
            clock.schedule(clock.monotonicMs() + this.#random.below(6), () =>
              ask(network, connection, offset),
            );
          },
          onClose: (_connection, reason) => {
            this.#world.note(`reader ${reader} lost its connection: ${reason}`);
            clock.schedule(clock.monotonicMs() + 1 + this.#random.below(5), connect);
          },
          onDrain: () => undefined,
        },
      });
    };
    connect();
  }

  /** @returns the offset to ask for next. */
  #check(reader: number, frame: Buffer, askedOffset: number): number {
    const generation = frame.readInt32BE(0);
    const held = this.#generations[generation] as Generation;
    const fromOffset = Math.min(askedOffset, endOf(held));
    const unsound = (detail: string): void =>
      this.#world.emit({ kind: 'unsound', partition: `${TOPIC}-0`, detail: `reader ${reader}: ${detail}` });
    const parsed = parseBatches(frame.subarray(4), fromOffset, this.#compute);
    if (parsed.problem !== null) unsound(parsed.problem);
    for (const { offset, record } of parsed.records) {
      const expected = held.get(offset);
      if (expected === undefined || recordKey(expected) !== recordKey(record)) {
        unsound(
          `offset ${offset} is ${recordKey(record)}, where the log held ${expected === undefined ? 'nothing' : recordKey(expected)} when it was read`,
        );
      }
    }
    this.#answersChecked++;
    this.#world.note(`reader ${reader} got ${parsed.records.length} records at ${fromOffset}`);
    return parsed.records.length === 0 ? this.#random.between(0, endOf(this.#content)) : parsed.nextOffset;
  }

  #host(name: string): Network {
    return this.#internet.host(name);
  }
}

function ask(network: Network, connection: ConnectionId, offset: number): void {
  const request = Buffer.alloc(4 + REQUEST_BYTES);
  request.writeInt32BE(REQUEST_BYTES);
  request.writeBigInt64BE(BigInt(offset), 4);
  network.setCredits(connection, 1);
  network.send(connection, [request]);
}

/** Offset after the last record. */
function endOf(generation: Generation): number {
  return Math.max(0, ...[...generation.keys()].map((offset) => offset + 1));
}

function limits(): ConnectionLimits {
  return {
    maxFrameBytes: MAX_FRAME_BYTES,
    frameTimeoutMs: 60_000,
    budget: { maxBytes: 64 * MAX_FRAME_BYTES, usedBytes: 0 },
  };
}
