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

/** Ways in which a disk fails for a while. After those of `BREAKING` the broker may stay offline in part until it is started anew. */
export type DiskTrouble = (typeof SHORTAGES)[number] | (typeof BREAKING)[number];

/** No room, or writes that fail and are taken back. */
export const SHORTAGES = ['full', 'no-room', 'quota', 'append'] as const;

/** What nobody can take back or know the end of. */
export const BREAKING = ['flush', 'cut', 'files', 'small-files', 'metadata', 'reads'] as const;

/** Everything about a run that is decided before it starts. */
export interface Scenario {
  readonly name: ScenarioName;
  readonly topics: readonly TopicPlan[];
  readonly producers: readonly ProducerPlan[];
  readonly readers: readonly ReaderPlan[];
  readonly faults: FaultPlan;
}

/**
 * Scenarios by name. `calm` has no faults; in `disk` there is no room now and then, in `broken` the disk fails for good until the next start; `topics` deletes topics that are in
 * use; `follower` is a log that is truncated while it is read, without a broker around it.
 */
export const SCENARIOS = [
  'calm',
  'kill',
  'power',
  'disk',
  'broken',
  'network',
  'topics',
  'everything',
  'follower',
] as const;

/** Name of a scenario. */
export type ScenarioName = (typeof SCENARIOS)[number];

/** Draws a scenario's details; the same generator state gives the same. */
export function drawScenario(name: ScenarioName, random: Random): Scenario {
  const topics: TopicPlan[] = [];
  for (let i = random.between(1, 3); i > 0; i--) topics.push(drawTopic(`topic-${i}`, random));
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
  return { name, topics, producers, readers, faults: drawFaults(name, random) };
}

function drawTopic(name: string, random: Random): TopicPlan {
  return {
    name,
    partitions: random.between(1, 2),
    durable: random.chance(0.5),
    segmentBytes: random.pick([8_000, 20_000, 100_000, 1_000_000]),
    indexIntervalBytes: random.pick([0, 100, 4096]),
    appendTime: random.chance(0.25),
  };
}

function drawProducer(id: number, topic: TopicPlan, partition: number, random: Random): ProducerPlan {
  const idempotent = random.chance(0.6);
  const codec = random.pick([0, 0, 0, 1, 2, 3, 4] as const);
  return {
    id,
    topic: topic.name,
    partition,
    acks: idempotent ? -1 : random.pick([-1, 1, 0] as const),
    idempotent,
    maxInFlight: idempotent ? random.between(1, 5) : 1,
    batchRecords: random.between(1, 6),
    valueBytes: random.pick([0, 10, 100, 900]),
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

function drawFaults(name: ScenarioName, random: Random): FaultPlan {
  const all = name === 'everything';
  const kill = name === 'kill' || name === 'topics' || all;
  const power = name === 'power' || name === 'topics' || all;
  const broken = name === 'broken' || (all && random.chance(0.3));
  const disk = name === 'disk' || broken || all;
  const network = name === 'network' || all;
  return {
    stopEveryMs:
      kill || power ? random.pick(name === 'topics' ? [0, 300, 2_000] : [80, 300, 1_000, 3_000]) : 0,
    powerShare: power ? (kill ? 0.4 : 0.8) : 0,
    killShare: kill ? (power ? 0.4 : 0.8) : 0,
    atOperationShare: random.pick([0, 0.5, 1]),
    shortWrites: disk ? random.pick([0, 0.05, 0.3]) : 0,
    diskTroubleEveryMs: broken ? random.pick([150, 500, 1_500]) : disk ? random.pick([20, 80, 400]) : 0,
    diskTroubles: broken ? [...SHORTAGES, ...BREAKING] : SHORTAGES,
    dropConnectionEveryMs: network ? random.pick([50, 300]) : 0,
    networkTroubleEveryMs: network ? random.pick([0, 500, 3_000]) : 0,
    remakeTopicEveryMs: name === 'topics' ? random.pick([20, 100, 400]) : all ? random.pick([0, 500]) : 0,
    slowDisk: random.chance(disk || name === 'topics' ? 0.6 : 0.3),
    windowBytes: random.pick([600, 8_000, 128_000]),
  };
}
