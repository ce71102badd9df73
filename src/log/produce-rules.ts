import type { CompressionCodec } from '../io/compute.ts';
import type { ProduceRules } from '../records/validate.ts';
import type { LogConfig } from './log-config.ts';

const CODECS: Readonly<Record<LogConfig['compressionType'], CompressionCodec | null>> = {
  producer: null,
  uncompressed: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
};

/** What produced batches must satisfy under a topic's configuration. */
export function produceRules(topic: string, partition: number, config: LogConfig): ProduceRules {
  return {
    name: `${topic}-${partition}`,
    maxMessageBytes: config.maxMessageBytes,
    segmentBytes: config.segmentBytes,
    compacted: config.cleanupPolicy.includes('compact'),
    logAppendTime: config.messageTimestampType === 'LogAppendTime',
    timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    targetCodec: CODECS[config.compressionType],
    targetLevel: config.compressionLevel,
  };
}
