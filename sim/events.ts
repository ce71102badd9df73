/** What a simulation's actors report of the outside of the broker: the only thing that checkers look at. */

/** A partition, as `topic-partition`. */
export type PartitionName = string;

/** A record as its producer numbered it; its key on the wire is `recordKey`. */
export interface RecordIdentity {
  /** Number of the producer within the run. */
  readonly producer: number;
  /** Counts from 0 within (producer, partition), without gaps. */
  readonly number: number;
}

/** Something that a client saw or that was done to the broker. */
export type SimulationEvent =
  /** The broker acknowledged a record at an offset. `durable`: what DESIGN §6 promises for it outlives a loss of power. */
  | {
      readonly kind: 'acknowledged';
      readonly partition: PartitionName;
      readonly offset: number;
      readonly record: RecordIdentity;
      readonly durable: boolean;
    }
  /** A reader was handed a record. `durable`: the topic hands out only what outlives a loss of power. */
  | {
      readonly kind: 'observed';
      readonly partition: PartitionName;
      readonly offset: number;
      readonly record: RecordIdentity;
      readonly durable: boolean;
    }
  /** A producer gave up on a record without knowing its fate; it may still turn up, at any place behind those it sent before. */
  | { readonly kind: 'abandoned'; readonly partition: PartitionName; readonly record: RecordIdentity }
  /** A reader was handed bytes that are no sound batch, or offsets that do not follow. */
  | { readonly kind: 'unsound'; readonly partition: PartitionName; readonly detail: string }
  /** The log now ends at `end`: after a loss of power, or because a follower would have been told to truncate there. */
  | {
      readonly kind: 'cut';
      readonly partition: PartitionName;
      readonly end: number;
      readonly cause: 'power' | 'truncation';
    }
  /** A client is about to ask that all below `offset` be deleted. */
  | { readonly kind: 'asked-to-delete'; readonly partition: PartitionName; readonly offset: number }
  /** The broker said that all below `lowWatermark` is deleted. */
  | {
      readonly kind: 'deleted';
      readonly partition: PartitionName;
      readonly lowWatermark: number;
      readonly atMs: number;
    }
  /** The broker told where a log begins and ends (its high watermark), to somebody who asked at `askedMs`. `ends` is null where it told only the beginning. */
  | {
      readonly kind: 'told-start';
      readonly partition: PartitionName;
      readonly start: number;
      readonly ends: number | null;
      readonly askedMs: number;
    }
  /** The run is over and everything healed: the whole partition as a fresh reader got it. */
  | {
      readonly kind: 'audit';
      readonly partition: PartitionName;
      /** Where the log begins. */
      readonly start: number;
      readonly records: readonly { readonly offset: number; readonly record: RecordIdentity }[];
    };

/** Text of a record's key. */
export function recordKey(record: RecordIdentity): string {
  return `p${record.producer}.${record.number}`;
}

/** Reads a key written by `recordKey`; null for any other text. */
export function parseRecordKey(key: string): RecordIdentity | null {
  const match = /^p(\d+)\.(\d+)$/.exec(key);
  return match === null ? null : { producer: Number(match[1]), number: Number(match[2]) };
}
