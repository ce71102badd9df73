import { int, long, short } from '../definition.ts';
import { atLeast } from '../rules.ts';

/** Configs of the store of remote segments' metadata; in a file they stand behind the prefix `rlmm.config.`. */
export const remoteLogMetadataConfigs = {
  'remote.log.metadata.consume.wait.ms': long({
    default: 120_000,
    rule: atLeast(0),
    importance: 'LOW',
    doc: 'How long a writer of metadata waits until it reads its own record back.',
  }),
  'remote.log.metadata.initialization.retry.interval.ms': long({
    default: 100,
    rule: atLeast(0),
    importance: 'LOW',
    doc: 'Pause before a failed start of the store is tried again.',
  }),
  'remote.log.metadata.initialization.retry.max.timeout.ms': long({
    default: 120_000,
    rule: atLeast(0),
    importance: 'LOW',
    doc: 'How long a start of the store is tried again before the broker gives up.',
  }),
  'remote.log.metadata.topic.num.partitions': int({
    default: 50,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Partitions of __remote_log_metadata; fixed once the topic exists.',
  }),
  'remote.log.metadata.topic.replication.factor': short({
    default: 3,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Replicas of __remote_log_metadata.',
  }),
  'remote.log.metadata.topic.retention.ms': long({
    default: -1,
    importance: 'LOW',
    doc: 'Milliseconds that metadata of remote segments is kept; -1 is for ever.',
  }),
};
