import type { Random } from '../src/base/random.ts';
import type { CompressionCodec } from '../src/io/compute.ts';

/** A topic of a run. */
export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  /** `flush.messages=1`: what is acknowledged or read outlives a loss of power. */
  readonly durable: boolean;
  readonly segmentBytes: number;
  readonly indexIntervalBytes: number;
  readonly appendTime: boolean;
  readonly compressionType: string;
  /** Of the broker's own deletion; -1 is never. */
  readonly retentionBytes: number;
  readonly retentionMs: number;
  readonly fileDeleteDelayMs: number;
  /** Mean pause between two deletions by a client in each partition, ms; 0 is never. */
  readonly deleteRecordsEveryMs: number;
}

/** A producer of a run; it writes to one partition. */
export interface ProducerPlan {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly acks: -1 | 0 | 1;
  readonly idempotent: boolean;
  readonly maxInFlight: number;
  readonly batchRecords: number;
  readonly valueBytes: number;
  readonly codec: CompressionCodec;
  /** Mean pause between two batches, ms. */
  readonly pauseMs: number;
  readonly produceVersion: number;
}

/** A reader of a run; it follows one partition from its start. */
export interface ReaderPlan {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly session: boolean;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly fetchVersion: number;
}

/** What goes wrong in a run. Means are in virtual ms; 0 means never. */
export interface FaultPlan {
  readonly stopEveryMs: number;
  /** Of the stops: shares of a loss of power and of a killed process; the rest are clean. */
  readonly powerShare: number;
  readonly killShare: number;
  /** Of the crashes: the share that happens in the middle of what the broker does, at a disk operation. */
  readonly atOperationShare: number;
  readonly shortWrites: number;
  /** Mean time between periods in which the disk fails. */
  readonly diskTroubleEveryMs: number;
  readonly diskTroubles: readonly DiskTrouble[];
  readonly dropConnectionEveryMs: number;
  /** Mean time between periods in which somebody is cut off or all is slow. */
  readonly networkTroubleEveryMs: number;
  /** Mean time between deletions of a topic; each is made anew under its name. */
  readonly remakeTopicEveryMs: number;
  readonly slowDisk: boolean;
  /** Bytes the network takes before the receiver has read them: with few, what is being sent holds its leases for long. */
  readonly windowBytes: number;
}

/** How often the broker does what it does by itself, ms. */
export interface ChoresPlan {
  readonly checkpointMs: number;
  readonly highWatermarkMs: number;
  readonly retentionMs: number;
}

/** Ways in which a disk fails for a while. After those of `BREAKING` the broker may stay offline in part until it is started anew. */
export type DiskTrouble = (typeof SHORTAGES)[number] | (typeof BREAKING)[number];

/** No room, or writes that fail and are taken back. */
export const SHORTAGES = ['full', 'no-room', 'quota', 'append'] as const;

/** What nobody can take back or know the end of. */
export const BREAKING = ['flush', 'cut', 'files', 'small-files', 'metadata', 'reads'] as const;

/** What is left of a plan where the run decides itself where the machine goes down: stops, all in good order, and topics that are remade. */
export const NO_TROUBLE: Partial<FaultPlan> = {
  powerShare: 0,
  killShare: 0,
  shortWrites: 0,
  diskTroubleEveryMs: 0,
  dropConnectionEveryMs: 0,
  networkTroubleEveryMs: 0,
};

/** Everything about a run that is decided before it starts. */
export interface Scenario {
  readonly name: ScenarioName;
  readonly topics: readonly TopicPlan[];
  readonly producers: readonly ProducerPlan[];
  readonly readers: readonly ReaderPlan[];
  readonly faults: FaultPlan;
  readonly chores: ChoresPlan;
}

/**
 * Scenarios by name. `calm` has no faults; in `disk` there is no room now and then, in `broken` the disk fails for good until the next start; `topics` deletes topics that are in
 * use; in `segments` they are very small, and records are deleted at the start of logs, by clients and by the broker, with crashes at any operation of the disk; `follower` is a log that is truncated while it is read, without a broker around it.
 */
export const SCENARIOS = [
  'calm',
  'kill',
  'power',
  'disk',
  'broken',
  'network',
  'topics',
  'segments',
  'everything',
  'follower',
] as const;

/** Name of a scenario. */
export type ScenarioName = (typeof SCENARIOS)[number];

/** Draws a scenario's details; the same generator state gives the same. */
export function drawScenario(name: ScenarioName, random: Random): Scenario {
  const topics: TopicPlan[] = [];
  for (let i = random.between(1, 3); i > 0; i--) topics.push(drawTopic(`topic-${i}`, name, random));
  const producers: ProducerPlan[] = [];
  const readers: ReaderPlan[] = [];
  for (const topic of topics) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      for (let i = random.pick([1, 1, 2, 2, 4]); i > 0; i--)
        producers.push(drawProducer(producers.length, topic, partition, random));
      for (let i = random.between(0, 2); i > 0; i--)
        readers.push(drawReader(readers.length, topic, partition, random));
    }
  }
  const faults = drawFaults(name, random);
  return { name, topics, producers, readers, faults, chores: drawChores(name, random) };
}

/** The largest batch that a producer with small batches sends fits in. */
const MIN_SEGMENT_BYTES = 700;

function drawTopic(name: string, scenario: ScenarioName, random: Random): TopicPlan {
  const small = scenario === 'segments';
  const deletes = small || (scenario === 'everything' && random.chance(0.5));
  const retained = deletes && random.chance(0.4);
  return {
    name,
    partitions: random.between(1, 2),
    durable: random.chance(0.5),
    segmentBytes: random.pick(
      small ? [MIN_SEGMENT_BYTES, 1_500, 6_000] : [8_000, 20_000, 100_000, 1_000_000],
    ),
    indexIntervalBytes: random.pick([0, 100, 4096]),
    appendTime: random.chance(0.25),
    compressionType: random.chance(0.25) ? random.pick(['lz4', 'snappy', 'uncompressed']) : 'producer',
    retentionBytes: retained ? random.pick([-1, 2_000, 20_000]) : -1,
    retentionMs: retained ? random.pick([-1, 200, 2_000]) : -1,
    fileDeleteDelayMs: random.pick(deletes ? [0, 20, 500] : [20, 60_000]),
    deleteRecordsEveryMs: deletes && random.chance(0.75) ? random.pick([10, 60, 300]) : 0,
  };
}

function drawProducer(id: number, topic: TopicPlan, partition: number, random: Random): ProducerPlan {
  const small = topic.segmentBytes < 8_000;
  const idempotent = random.chance(0.6);
  const codec = random.pick([0, 0, 0, 1, 2, 3, 4] as const);
  return {
    id,
    topic: topic.name,
    partition,
    acks: idempotent ? -1 : random.pick([-1, 1, 0] as const),
    idempotent,
    maxInFlight: idempotent ? random.between(1, 5) : 1,
    batchRecords: random.between(1, small ? 3 : 6),
    valueBytes: random.pick(small ? [0, 10, 100] : [0, 10, 100, 900]),
    codec,
    pauseMs: random.pick([1, 5, 40]),
    produceVersion: random.between(codec === 4 ? 7 : 3, 13),
  };
}

function drawReader(id: number, topic: TopicPlan, partition: number, random: Random): ReaderPlan {
  const session = random.chance(0.6);
  return {
    id,
    topic: topic.name,
    partition,
    session,
    maxBytes: random.pick([1, 500, 4_000, 1_000_000]),
    maxWaitMs: random.pick([0, 20, 200]),
    fetchVersion: random.between(session ? 7 : 4, 18),
  };
}

function drawChores(name: ScenarioName, random: Random): ChoresPlan {
  const often = name === 'segments' || random.chance(0.3);
  return {
    checkpointMs: random.pick(often ? [20, 100, 500] : [60_000]),
    highWatermarkMs: random.pick(often ? [20, 100, 500] : [5_000]),
    retentionMs: random.pick(often ? [15, 80, 400] : [1_000]),
  };
}

function drawFaults(name: ScenarioName, random: Random): FaultPlan {
  const all = name === 'everything';
  const small = name === 'segments';
  const kill = name === 'kill' || name === 'topics' || small || all;
  const power = name === 'power' || name === 'topics' || small || all;
  const broken = name === 'broken' || (all && random.chance(0.3));
  const disk = name === 'disk' || broken || all;
  const network = name === 'network' || all;
  return {
    stopEveryMs:
      kill || power ? random.pick(name === 'topics' ? [0, 300, 2_000] : [80, 300, 1_000, 3_000]) : 0,
    powerShare: power ? (kill ? 0.4 : 0.8) : 0,
    killShare: kill ? (power ? 0.4 : 0.8) : 0,
    atOperationShare: random.pick(small ? [0.9, 1] : [0, 0.5, 1]),
    shortWrites: disk ? random.pick([0, 0.05, 0.3]) : 0,
    diskTroubleEveryMs: broken ? random.pick([150, 500, 1_500]) : disk ? random.pick([20, 80, 400]) : 0,
    diskTroubles: broken ? [...SHORTAGES, ...BREAKING] : SHORTAGES,
    dropConnectionEveryMs: network ? random.pick([50, 300]) : 0,
    networkTroubleEveryMs: network ? random.pick([0, 500, 3_000]) : 0,
    remakeTopicEveryMs:
      name === 'topics'
        ? random.pick([20, 100, 400])
        : small
          ? random.pick([0, 0, 300])
          : all
            ? random.pick([0, 500])
            : 0,
    slowDisk: random.chance(disk || name === 'topics' ? 0.6 : 0.3),
    windowBytes: random.pick([600, 8_000, 128_000]),
  };
}
