/**
 * What the log needs to know of a topic's configuration, as plain data: the room that parses configs builds it, and a change gives a
 * new object to `PartitionLog.updateConfig`. Values that Kafka gives as 9223372036854775807 ("never") may be 2^63.
 */
export interface LogConfig {
  /** `segment.bytes`: largest segment file; 1..2147483647. */
  readonly segmentBytes: number;
  /** `segment.ms`: a segment is rolled when its records span more than this. */
  readonly segmentMs: number;
  /** `segment.jitter.ms`: at most so much is taken off `segmentMs`, at random per segment. */
  readonly segmentJitterMs: number;
  /** `index.interval.bytes`: bytes of log between two index entries. */
  readonly indexIntervalBytes: number;
  /** `segment.index.bytes`: largest index file. */
  readonly indexSizeMaxBytes: number;
  /** `max.message.bytes`: largest batch. */
  readonly maxMessageBytes: number;
  /** `message.timestamp.type`. */
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  /** `message.timestamp.before.max.ms`: how far a record's CreateTime may lie in the past. */
  readonly messageTimestampBeforeMaxMs: number;
  /** `message.timestamp.after.max.ms`: how far a record's CreateTime may lie in the future. */
  readonly messageTimestampAfterMaxMs: number;
  /** `cleanup.policy`; on a compacted topic every record needs a key. */
  readonly cleanupPolicy: readonly ('compact' | 'delete')[];
  /** `compression.type`: `producer` keeps what came. */
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Level for `compressionType` from `compression.{gzip,lz4,zstd}.level`; null takes the codec's default. */
  readonly compressionLevel: number | null;
  /** `flush.messages`: records after which a flush is started; 1 makes the flushed end the one that counts. */
  readonly flushMessages: number;
  /** `flush.ms`: time after which unflushed records are flushed. */
  readonly flushMs: number;
  /** `retention.ms`, -1 for ever. */
  readonly retentionMs: number;
  /** `retention.bytes`, -1 without bound. */
  readonly retentionBytes: number;
  /** `file.delete.delay.ms`: how long the files of a deleted segment or log stay under their new name. */
  readonly fileDeleteDelayMs: number;
  /** `preallocate`: the file of a new segment is made `segmentBytes` long at once, and cut to what is in it at the roll and a clean close. */
  readonly preallocate: boolean;
}

const NEVER = 2 ** 63;

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  indexIntervalBytes: 4096,
  indexSizeMaxBytes: 10_485_760,
  maxMessageBytes: 1_048_588,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: NEVER,
  messageTimestampAfterMaxMs: 3_600_000,
  cleanupPolicy: ['delete'],
  compressionType: 'producer',
  compressionLevel: null,
  flushMessages: NEVER,
  flushMs: NEVER,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  preallocate: false,
};
