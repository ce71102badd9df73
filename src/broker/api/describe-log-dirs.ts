/** DescribeLogDirs, versions 1–4: the log directories of this broker, what lies in each, and how much room there is (KIP-113, KIP-827). */
import { ErrorCode } from '../../base/errors.ts';
import { DiskError } from '../../io/disk.ts';
import type { LogDirectory } from '../../log/log-directory.ts';
import type { LogManager } from '../../log/log-manager.ts';
import type { PartitionLog } from '../../log/partition-log.ts';
import {
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from '../../protocol/messages/describe-log-dirs.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

type Result = InputOf<typeof DescribeLogDirsResponse>['results'][number];

/** "Not known". */
const UNKNOWN_BYTES = -1;

/** The handler of DescribeLogDirs. */
export function describeLogDirsApi(services: Services, logs: LogManager): ApiHandler {
  return api({
    apiKey: 35,
    minVersion: 1,
    maxVersion: 4,
    request: DescribeLogDirsRequest,
    response: DescribeLogDirsResponse,
    handle(context, request) {
      const mayDescribe = services.authorizer.authorize(
        context as unknown as RequestContext,
        AclOperation.DESCRIBE,
        ResourceType.CLUSTER,
        CLUSTER_RESOURCE,
      );
      if (!mayDescribe) {
        context.respond({
          throttleTimeMs: 0,
          errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
          results: [],
        });
        return;
      }
      const isWanted = wantedBy(request);
      context.respond({
        throttleTimeMs: 0,
        errorCode: ErrorCode.NONE,
        results: logs.directories.map((directory) => describe(directory, logs, isWanted)),
      });
    },
  });
}

/** Tells which logs a request asks for: all, or those it names. */
function wantedBy({ topics }: DescribeLogDirsRequest): (log: PartitionLog) => boolean {
  if (topics === null) return () => true;
  const wanted = new Map(topics.map(({ topic, partitions }) => [topic, new Set(partitions)]));
  return ({ topic, partition }) => wanted.get(topic)?.has(partition) ?? false;
}

function describe(
  directory: LogDirectory,
  logs: LogManager,
  isWanted: (log: PartitionLog) => boolean,
): Result {
  const failed = {
    errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
    logDir: directory.path,
    topics: [],
    totalBytes: UNKNOWN_BYTES,
    usableBytes: UNKNOWN_BYTES,
  };
  if (directory.offline) return failed;
  try {
    const { totalBytes, usableBytes } = logs.roomIn(directory);
    const topics = new Map<string, Result['topics'][number]['partitions'][number][]>();
    for (const log of logs.all()) {
      if (log.directory !== directory || !isWanted(log)) continue;
      const { topic, partition: partitionIndex, sizeBytes, highWatermark, logEndOffset } = log;
      const partitions = topics.get(topic) ?? [];
      topics.set(topic, partitions);
      const offsetLag = Math.max(highWatermark - logEndOffset, 0);
      partitions.push({ partitionIndex, partitionSize: sizeBytes, offsetLag, isFutureKey: false });
    }
    for (const future of logs.futures()) {
      if (future.directory !== directory || !isWanted(future)) continue;
      const { topic, partition: partitionIndex, sizeBytes, logEndOffset } = future;
      const partitions = topics.get(topic) ?? [];
      topics.set(topic, partitions);
      const offsetLag = (logs.get(topic, partitionIndex)?.logEndOffset ?? logEndOffset) - logEndOffset;
      partitions.push({ partitionIndex, partitionSize: sizeBytes, offsetLag, isFutureKey: true });
    }
    return {
      errorCode: ErrorCode.NONE,
      logDir: directory.path,
      topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
      totalBytes,
      usableBytes,
    };
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return failed;
  }
}
